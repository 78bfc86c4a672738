import { sentObject, UserData } from '../../../contracts/push/protocol.ts';
import { type App, userText, verifyAuth } from '../../app-keys/signature.ts';

/** Reads the data of a sign-in; undefined if the signature or the data is invalid. */
export function readSignin(
  app: App,
  socketId: string,
  { auth, user_data }: { readonly auth: string; readonly user_data: string },
): UserData | undefined {
  if (!verifyAuth(app, userText(socketId, user_data), auth)) return undefined;
  return UserData.safeParse(sentObject(user_data)).data;
}

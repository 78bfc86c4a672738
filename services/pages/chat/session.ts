import { ref } from 'vue';
import { type Api, createApi } from '../shared/calls.ts';
import { CallRefused } from '../shared/envelope.ts';
import { readTexts } from './written.ts';

/** Who is signed in, in this tab alone: another tab may be another person. */
interface Session {
  readonly uid: number;
  readonly token: string;
}

const storageKey = 'bubble-im session';
/** Says to the page that is loaded next that the token had ended. */
const endedKey = 'bubble-im session ended';

function stored(): Session | undefined {
  const text = sessionStorage.getItem(storageKey) ?? localStorage.getItem(storageKey);
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const session = ref<Session | undefined>(stored());

/** Whether the page shows the sign-in form because the token ended. */
export const sessionEnded = sessionStorage.getItem(endedKey) !== null;
sessionStorage.removeItem(endedKey);

const plain = createApi(() => session.value?.token);

/** The code of an answer to a token that has ended. */
const notLoggedIn = -1;

/** The API as the person who is signed in. A token that has ended signs them out. */
export const api: Api = {
  call: (path, parameters) => checked(plain.call(path, parameters)),
  upload: (path, file) => checked(plain.upload(path, file)),
};

async function checked<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return readTexts(await answer);
  } catch (error) {
    if (error instanceof CallRefused && error.code === notLoggedIn && session.value) endSession();
    throw error;
  }
}

/**
 * @param credentials with the answer to a captcha, if the server asks for one
 * @param remember whether the browser stays signed in after the tab is closed
 * @throws CallRefused with the reason for the person
 */
export async function signIn(
  credentials: { username: string; password: string; captcha_id?: string; captcha?: string },
  remember: boolean,
): Promise<void> {
  const { uid, token } = await api.call('/login/login', credentials);
  (remember ? localStorage : sessionStorage).setItem(storageKey, JSON.stringify({ uid, token }));
  session.value = { uid, token };
}

/** Ends the token, also if the server cannot be reached to end it there, and leaves an empty page. */
export async function signOut(): Promise<void> {
  await plain.call('/login/logout', {}).catch(() => undefined);
  forgetToken();
  location.assign('/chat/');
}

/** The token has ended: the person signs in again, and goes on where they were. */
export function endSession(): void {
  forgetToken();
  sessionStorage.setItem(endedKey, '1');
  location.reload();
}

function forgetToken(): void {
  sessionStorage.removeItem(storageKey);
  // Another tab may have signed in anew, or as somebody else.
  const kept = localStorage.getItem(storageKey);
  if (kept?.includes(JSON.stringify(session.value?.token))) localStorage.removeItem(storageKey);
}

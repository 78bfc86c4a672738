import { ref } from 'vue';
import { createApi } from '../shared/calls.ts';

/** Who is signed in, in this tab alone: another tab may be another person. */
interface Session {
  readonly uid: number;
  readonly token: string;
}

const storageKey = 'bubble-im session';

function stored(): Session | undefined {
  const text = sessionStorage.getItem(storageKey);
  return text === null ? undefined : JSON.parse(text);
}

export const session = ref<Session | undefined>(stored());
export const api = createApi(() => session.value?.token);

/** @throws CallRefused with the reason for the person */
export async function signIn(username: string, password: string): Promise<void> {
  const { uid, token } = await api.call('/login/login', { username, password });
  session.value = { uid, token };
  sessionStorage.setItem(storageKey, JSON.stringify(session.value));
}

/** Ends the token, also if the server cannot be reached to end it there. */
export async function signOut(): Promise<void> {
  await api.call('/login/logout', {}).catch(() => undefined);
  session.value = undefined;
  sessionStorage.removeItem(storageKey);
}

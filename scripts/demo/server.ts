import { z } from 'zod';
import type { KeyPair } from '../../services/environment.ts';

const Envelope = z.object({ code: z.int(), msg: z.string(), data: z.unknown().optional() });

/** An upload: its address, and its size in words. */
const Uploaded = z.object({ src: z.string(), size: z.string() });
export type Uploaded = z.infer<typeof Uploaded>;

/** How long an answer may take: a picture of a phone takes a second to write anew. */
const timeoutMs = 30_000;

/**
 * Makes sure that a program answers.
 * @throws Error, in words for who runs the script
 */
export async function mustAnswer(address: string): Promise<void> {
  const answer = await fetch(`${address}/health`, { signal: AbortSignal.timeout(timeoutMs) }).catch(
    (error: unknown) => {
      throw new Error(`nothing answers at ${address}: start the program first (npm start)`, { cause: error });
    },
  );
  if (!answer.ok) throw new Error(`${address}/health answers ${answer.status}: is it bubble-im?`);
}

/** A running installation, called by its API with the server's key. */
export class Server {
  readonly #api: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param address of the installation, such as `http://127.0.0.1:8787` */
  constructor(address: string, { key, secret }: KeyPair) {
    this.#api = `${address}/api`;
    this.#headers = { 'x-app-key': key, 'x-app-secret': secret };
  }

  /**
   * Calls the API.
   * @throws Error if the call is refused; ZodError if `data` is not what was expected
   */
  async call<Data>(path: string, parameters: object, data: z.ZodType<Data>): Promise<Data> {
    const body = JSON.stringify(parameters);
    return data.parse(await this.#ask(path, body, { 'content-type': 'application/json' }));
  }

  /** Calls the API with parameters in the address, and reads `data`. @throws as `call` */
  async get<Data>(path: string, parameters: Record<string, string>, data: z.ZodType<Data>): Promise<Data> {
    return data.parse(await this.#ask(`${path}?${new URLSearchParams(parameters)}`, undefined, {}));
  }

  /** Calls the API for an effect alone. @throws as `call` */
  async act(path: string, parameters: object): Promise<void> {
    await this.call(path, parameters, z.unknown());
  }

  /** Uploads a file for a person. @throws as `call` */
  async upload(path: string, uid: number, bytes: Uint8Array<ArrayBuffer>, name: string): Promise<Uploaded> {
    const form = new FormData();
    form.append('login_uid', String(uid));
    form.append('file', new Blob([bytes]), name);
    return Uploaded.parse(await this.#ask(path, form, {}));
  }

  async #ask(path: string, body: string | FormData | undefined, headers: object): Promise<unknown> {
    const response = await fetch(`${this.#api}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...this.#headers, ...headers },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body }),
    });
    const { code, msg, data } = Envelope.parse(await response.json());
    if (code !== 0) throw new Error(`${path} was refused: ${code} ${msg}`);
    return data;
  }
}

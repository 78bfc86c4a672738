import { z } from 'zod';
import { type RunningApplication, serverKey } from '../support/application.ts';

const Answer = z.strictObject({ code: z.literal(0), msg: z.literal('ok'), data: z.unknown() });

/** Reads an answer whose envelope must say that the request was carried out. @returns its data */
export function dataOf(answer: unknown): unknown {
  return Answer.parse(answer).data;
}

/** Calls the API as a PHP client does, with the server's key. */
export class DocumentClient {
  readonly #running: RunningApplication;

  constructor(running: RunningApplication) {
    this.#running = running;
  }

  /** The data of a successful answer. */
  async ask(call: string, parameters: Readonly<Record<string, unknown>>): Promise<unknown> {
    const response = await this.request(call, parameters);
    return dataOf(await response.json());
  }

  /** @param call such as `GET /api/user/get`: a GET has a query, others a form */
  async request(call: string, parameters: Readonly<Record<string, unknown>>): Promise<Response> {
    const [method = '', path = ''] = call.split(' ');
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
      if (Array.isArray(value)) for (const item of value) form.append(`${name}[]`, String(item));
      else form.append(name, String(value));
    }
    const url = this.#running.url + path;
    if (method === 'GET') return fetch(`${url}?${form}`, { headers: serverKey });
    return fetch(url, { method, body: form, headers: serverKey });
  }
}

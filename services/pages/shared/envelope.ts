/** What the API answers if it does not carry a call out: its code, and its words for the person. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The data of an answer in the API's envelope. @throws CallRefused */
export async function dataOf(response: Response) {
  const { code, msg, data } = await response.json();
  if (code !== 0) throw new CallRefused(code, msg);
  return data;
}

/** Parameters as a query. What is empty counts as not given. */
export function queryOf(parameters: object): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== '') query.set(name, String(value));
  return query;
}

/** Part of a list: up to `limit` entries, after the first `start`. */
export interface ListPage {
  readonly limit: number;
  readonly start: number;
}

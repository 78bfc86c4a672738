/** Part of a list: at most `limit` of it, after the first `start`. */
export interface ListPage {
  readonly limit: number;
  readonly start: number;
}

/** An event of a request, as it is shown beside another event of it. */
export interface RequestEvent {
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
  readonly id: string;
}

/** Finds the events of requests, by their correlation ids, in the order of the log. */
export type FindRequest = (
  correlationIds: readonly string[],
) => Promise<ReadonlyMap<string, readonly RequestEvent[]>>;

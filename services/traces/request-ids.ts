import { type Context, ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace';

/** A request's id, a UUID, as OpenTelemetry writes the id of a trace; undefined of anything else. */
function traceIdOf(request: string): string | undefined {
  const id = request.replaceAll('-', '').toLowerCase();
  return /^[0-9a-f]{32}$/.test(id) ? id : undefined;
}

/** The id of a trace's first span: the second half of the trace's, which is random. */
function rootSpanIdOf(traceId: string): string {
  return traceId.slice(16);
}

/** What every process knows of the span of a request by its id alone; undefined if that is no UUID. */
export function requestContext(request: string): Context | undefined {
  const traceId = traceIdOf(request);
  if (traceId === undefined) return undefined;
  const spanId = rootSpanIdOf(traceId);
  const span = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, span);
}

/** Gives the spans of requests the ids that follow from the requests' ids, and all others random ones. */
export class RequestIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #traceId: string | undefined;

  /** Calls `start`, in whose course the span of a request is started. It is not called if the id is no UUID. */
  withRoot(request: string, start: (context: Context) => void): void {
    this.#traceId = traceIdOf(request);
    if (this.#traceId !== undefined) start(ROOT_CONTEXT);
    this.#traceId = undefined;
  }

  generateTraceId = (): string => this.#traceId ?? this.#random.generateTraceId();

  generateSpanId = (): string =>
    this.#traceId === undefined ? this.#random.generateSpanId() : rootSpanIdOf(this.#traceId);
}

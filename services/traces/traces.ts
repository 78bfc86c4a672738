import { hostname } from 'node:os';
import { type Attributes, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import type { Tracing } from '../environment.ts';
import { appends, calls, projections, pushes } from '../measurements.ts';
import { reportingFailures } from './failures.ts';
import { RequestIds, requestContext } from './request-ids.ts';

/** How long the last spans may take to be sent when the program ends. */
const exportTimeoutMs = 3_000;

export interface Traces {
  /** Sends what is left, for at most 3 s. */
  stop(): Promise<void>;
}

/**
 * Sends a trace of each request to a collector of OpenTelemetry: the request, the append to the log, the commit of the
 * read models, and the write to the sockets, each from the process that did it. The request's id is the id of the
 * trace, so that the events of the log name their trace without knowing of it.
 */
export function startTraces({ url, serviceName, share }: Tracing, logger: Logger): Traces {
  const ids = new RequestIds();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': serviceName,
      'service.instance.id': `${hostname()}/${process.pid}`,
    }),
    // By the id of the trace: all processes decide the same.
    sampler: new TraceIdRatioBasedSampler(share),
    idGenerator: ids,
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: reportingFailures(new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs }), logger),
      }),
    ],
  });
  const tracer = provider.getTracer('bubble-im');
  const stops = [
    calls.subscribe(({ call, code, method, ms, request, status }) => {
      const attributes = {
        'http.request.method': method,
        'http.route': call,
        'http.response.status_code': status,
        'bubble.code': code,
      };
      ids.withRoot(request, (context) => {
        const { span, end } = spanOf(tracer, `${method} ${call}`, ms, context, attributes, SpanKind.SERVER);
        if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        end();
      });
    }),
    appends.subscribe(({ events, ms, outcome, request }) => {
      const attributes = { 'bubble.events': events, 'bubble.outcome': outcome };
      if (request !== undefined) step(tracer, 'append', ms, request, attributes);
    }),
    projections.subscribe(({ ms, requests }) => {
      for (const request of requests) step(tracer, 'project', ms, request);
    }),
    pushes.subscribe(({ ms, requests, source }) => {
      for (const request of requests) step(tracer, 'push', ms, request, { 'bubble.source': source });
    }),
  ];
  return {
    async stop() {
      for (const stop of stops) stop();
      // Its failure is logged already.
      await provider.shutdown().catch(() => undefined);
    },
  };
}

/** Records what was done for a request and has just ended. */
function step(tracer: Tracer, name: string, ms: number, request: string, attributes: Attributes = {}): void {
  const context = requestContext(request);
  if (context !== undefined) spanOf(tracer, name, ms, context, attributes, SpanKind.INTERNAL).end();
}

/** A span that began `ms` ago and ends now. */
function spanOf(
  tracer: Tracer,
  name: string,
  ms: number,
  context: Parameters<Tracer['startSpan']>[2],
  attributes: Attributes,
  kind: SpanKind,
) {
  const now = Date.now();
  const span = tracer.startSpan(name, { kind, attributes, startTime: now - ms }, context);
  return { span, end: () => span.end(now) };
}

import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';

/** Spans are sent every 5 s; a collector that is away is logged once in this time. */
const reminderEveryMs = 60_000;

/** An exporter that logs if spans could not be sent: they are lost, and nothing else is. */
export function reportingFailures(exporter: SpanExporter, logger: Logger): SpanExporter {
  let reportedAt = Number.NEGATIVE_INFINITY;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const now = performance.now();
        if (result.error !== undefined && now - reportedAt >= reminderEveryMs) {
          reportedAt = now;
          logger.warn({ err: result.error, spans: spans.length }, 'traces could not be sent and are lost');
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

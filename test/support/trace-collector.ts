import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import type { AtEnd } from './at-end.ts';
import { freePort } from './free-port.ts';

const Attributes = z.array(
  z.object({
    key: z.string(),
    value: z.looseObject({ stringValue: z.string().optional(), intValue: z.number().optional() }),
  }),
);
const Sent = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: Attributes }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              name: z.string(),
              attributes: Attributes,
            }),
          ),
        }),
      ),
    }),
  ),
});

/** A span as a collector received it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  /** The host and the pid of its process. */
  readonly instance: string;
}

export interface TraceCollector {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
}

/** A collector of OpenTelemetry that takes OTLP in JSON. */
export async function startTraceCollector(atEnd: AtEnd): Promise<TraceCollector> {
  const port = await freePort();
  const spans: ReceivedSpan[] = [];
  const server = createServer(async (request, response) => {
    const { resourceSpans } = Sent.parse(await json(request));
    for (const { resource, scopeSpans } of resourceSpans) {
      const instance = String(valuesOf(resource.attributes)['service.instance.id']);
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
        const { attributes, parentSpanId, ...rest } = span;
        spans.push({ ...rest, parentSpanId, instance, attributes: valuesOf(attributes) });
      }
    }
    response.writeHead(request.url === '/v1/traces' ? 200 : 404, { 'content-type': 'application/json' });
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}`, spans };
}

function valuesOf(attributes: z.infer<typeof Attributes>) {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue] as const),
  );
}

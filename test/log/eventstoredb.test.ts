import { pino } from 'pino';
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';
import { describe, it } from 'vitest';
import { openEventStoreDBLog } from '../../services/log/eventstoredb/eventstoredb-log.ts';
import { describeEventLog, type MortalStore, type Store } from './contract.ts';
import { describeFreezing } from './contract-freezing.ts';

const image = 'eventstore/eventstore:24.10';
const url = process.env.EVENTSTORE_URL;
const dockerAnswers =
  url === undefined &&
  (await getContainerRuntimeClient().then(
    () => true,
    () => false,
  ));

/** A store on a running server. */
const storeAt = (at: string): Store => ({
  open: async () => openEventStoreDBLog({ url: at, logger: pino({ level: 'silent' }) }),
  remove: async () => {},
});

async function startContainer(): Promise<MortalStore> {
  const container = await new GenericContainer(image)
    .withEnvironment({ EVENTSTORE_INSECURE: 'true', EVENTSTORE_TELEMETRY_OPTOUT: 'true' })
    .withExposedPorts({ container: 2113, host: 0 })
    .withWaitStrategy(Wait.forHttp('/health/live', 2113).forStatusCode(204))
    .start();
  const at = `${container.getHost()}:${container.getMappedPort(2113)}`;
  return {
    ...storeAt(`esdb://${at}?tls=false`),
    kill: async () => {
      const client = await getContainerRuntimeClient();
      const running = client.container.getById(container.getId());
      await running.kill();
      await running.start();
    },
    ready: async () => {
      for (;;) {
        const answer = await fetch(`http://${at}/health/live`).catch(() => undefined);
        if (answer?.status === 204) return;
      }
    },
    remove: async () => {
      await container.stop();
    },
  };
}

if (url !== undefined) {
  describeEventLog(`EventStoreDB at EVENTSTORE_URL`, { make: async () => storeAt(url) });
  const address = /^(?:esdb|kurrentdb):\/\/(?:127\.0\.0\.1|localhost):(\d+)\?tls=false$/.exec(url);
  if (address) {
    describeFreezing('EventStoreDB at EVENTSTORE_URL', async () => ({
      port: Number(address[1]),
      open: (port) => storeAt(`esdb://127.0.0.1:${port}?tls=false`).open(),
    }));
  }
} else if (dockerAnswers) {
  describeEventLog(`EventStoreDB in a container`, { make: startContainer, makeMortal: startContainer });
} else {
  describe('the event log in EventStoreDB', () => {
    it('needs a server: one that EVENTSTORE_URL names, or Docker', ({ skip }) => skip());
  });
}

import { type RunningApplication, startApplication } from './application.ts';
import { EventStoreDBDouble } from './eventstoredb-double.ts';

/** Starts the application with its log in Postgres, or in a double of EventStoreDB, which ends with it. */
export async function startApplicationOnStore(isEventStore: boolean): Promise<RunningApplication> {
  if (!isEventStore) return startApplication();
  const double = new EventStoreDBDouble();
  await double.start();
  const running = await startApplication({ eventStoreUrl: double.url });
  return {
    ...running,
    async stop() {
      await running.stop();
      double.kill();
    },
  };
}

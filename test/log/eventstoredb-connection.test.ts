import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectionTo } from '../../services/log/eventstoredb/connection.ts';

describe('a connection to EventStoreDB', () => {
  it.each(['esdb://127.0.0.1:2113', 'esdb://one:2113,192.0.2.1:2113?tls=true', 'esdb+discover://192.0.2.1'])(
    'needs host names with TLS: %s',
    (url) => {
      expect(() => connectionTo(url)).toThrow('EVENTSTORE_URL must name hosts by name');
    },
  );

  it.each(['esdb://127.0.0.1:2113?tls=false', 'esdb://one:2113,two:2113', 'kurrentdb+discover://one'])(
    'is made from its connection string: %s',
    (url) => {
      expect(() => connectionTo(url)).not.toThrow();
    },
  );
});

/*
 * If this fails, the installed client may no longer have the bug that services/log/eventstoredb/connection.ts
 * describes: try its own appendToStream there, with the crash tests against a real server.
 */
describe('the client of EventStoreDB', () => {
  it('still shares the appends in flight among all clients, and sends them in an async executor', async () => {
    const client = dirname(createRequire(import.meta.url).resolve('@eventstore/db-client'));
    const source = await readFile(join(client, 'streams/appendToStream/batchAppend.js'), 'utf8');
    expect(source).toMatch(/^const promiseBank = new Map\(\);/m);
    expect(source).toMatch(/new Promise\(async \(/);
  });
});

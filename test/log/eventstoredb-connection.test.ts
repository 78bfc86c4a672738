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

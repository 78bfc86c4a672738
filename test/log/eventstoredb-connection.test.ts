import { describe, expect, it } from 'vitest';
import { connectionTo } from '../../services/log/eventstoredb/connection.ts';

describe('a connection to EventStoreDB', () => {
  it.each(['esdb://127.0.0.1:2113', 'esdb://one:2113,192.0.2.1:2113?tls=true', 'esdb+discover://192.0.2.1'])(
    'needs names of hosts where it speaks TLS: %s',
    (url) => {
      expect(() => connectionTo(url)).toThrow('EVENTSTORE_URL must name hosts by name');
    },
  );

  it.each(['esdb://127.0.0.1:2113?tls=false', 'esdb://one:2113,two:2113', 'kurrentdb+discover://one'])(
    'is made as the string describes it: %s',
    (url) => {
      expect(() => connectionTo(url)).not.toThrow();
    },
  );
});

import * as log from './0001-log.ts';
import * as accounts from './0002-accounts.ts';
import * as readModels from './0003-read-models.ts';
import * as presence from './0004-presence.ts';
import * as lease from './0005-lease.ts';
import * as identity from './0006-identity.ts';
import * as groupMutes from './0007-group-mutes.ts';
import * as invitations from './0008-invitations.ts';
import * as snapshots from './0009-snapshots.ts';
import * as knownAddresses from './0010-known-addresses.ts';
import * as uploads from './0011-uploads.ts';
import * as gatewayBeats from './0012-gateway-beats.ts';
import * as pushedMessages from './0013-pushed-messages.ts';
import * as keysByPerson from './0014-keys-by-person.ts';
import * as lastEvents from './0015-last-events.ts';
import * as memberVersions from './0016-member-versions.ts';
import * as followers from './0017-followers.ts';

/** All migrations, in the order in which they apply. */
export const migrations = {
  '0001-log': log,
  '0002-accounts': accounts,
  '0003-read-models': readModels,
  '0004-presence': presence,
  '0010-lease': lease,
  '0020-identity': identity,
  '0040-group-mutes': groupMutes,
  '0041-invitations': invitations,
  '0042-snapshots': snapshots,
  '0050-known-addresses': knownAddresses,
  '0070-uploads': uploads,
  '0080-gateway-beats': gatewayBeats,
  '0081-pushed-messages': pushedMessages,
  '0090-keys-by-person': keysByPerson,
  '0100-last-events': lastEvents,
  '0101-member-versions': memberVersions,
  '0102-followers': followers,
};

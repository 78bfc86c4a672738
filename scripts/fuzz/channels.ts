import type { Cast } from './cast.ts';
import type { KnownIds } from './known-ids.ts';
import type { Random } from './random.ts';

/** What channel names are made from. */
export interface ChannelSources {
  readonly random: Random;
  readonly cast: Cast;
  readonly known: KnownIds;
}

/** A channel's name: of somebody, of a group, of two, of everybody, or an odd one. */
export function chooseChannel({ random, cast, known }: ChannelSources): string {
  const uids = [...cast.insiders, cast.stranger].map(({ uid }) => uid);
  const uid = random.chance(0.9) ? random.pick(uids) : random.integer(1, 50);
  const gid = known.pick('gid', random) ?? 1;
  const [lower = 1, higher = 2] = [random.pick(uids), random.pick(uids)].toSorted(
    (one, other) => one - other,
  );
  switch (random.weighted({ user: 6, group: 6, presence: 3, chat: 4, open: 2, odd: 2 })) {
    case 'user':
      return `${random.pick(['', 'private-'])}user-${uid}`;
    case 'group':
      return `${random.pick(['', 'private-'])}group-${gid}`;
    case 'presence':
      return `presence-group-${gid}`;
    case 'chat':
      return `${random.pick(['private', 'presence'])}-chat-${lower}-${higher}`;
    case 'open':
      return random.pick(['global', 'news', 'private-news', 'presence-news', 'private-audit', 'cache-x']);
    case 'odd':
      return random.pick(oddChannels);
  }
}

const oddChannels = [
  ...[
    '',
    ' ',
    'user-',
    'user-0',
    'user-01',
    'user--1',
    `user-${'9'.repeat(30)}`,
    'private-user-1.5',
    'group-1e3',
  ],
  ...[
    'private-private-user-1',
    'presence-user-1',
    'private-encrypted-x',
    '#server-to-user-1',
    'private-chat-2-1',
  ],
  ...[
    'private-chat-1-1',
    'a'.repeat(200),
    'a'.repeat(201),
    'ü',
    'a b',
    '__proto__',
    'constructor',
    'a\nb',
    'a:b',
  ],
];

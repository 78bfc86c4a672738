import type { Cast } from './cast.ts';
import type { Random } from './random.ts';
import type { Caller, Target } from './request.ts';

/** Who calls how often. */
const kinds = {
  insider: 60,
  cookie: 6,
  stranger: 12,
  server: 14,
  nobody: 4,
  'ended token': 2,
  'wrong key': 2,
} as const;

/** Chooses who makes a request, and how they show it. */
export function chooseCaller(random: Random, cast: Cast, { key, secret }: Target): Caller {
  const kind = random.weighted(kinds);
  const person = kind === 'stranger' ? cast.stranger : random.pick(cast.insiders);
  switch (kind) {
    case 'insider':
    case 'stranger':
      return { kind: 'person', person, headers: { authorization: `Bearer ${person.token}` } };
    case 'cookie':
      return { kind: 'person', person, headers: { cookie: `a=b; token=${person.token}` } };
    case 'server':
      return { kind, person: undefined, headers: { 'x-app-key': key, 'x-app-secret': secret } };
    case 'nobody':
      return { kind, person: undefined, headers: {} };
    case 'ended token': {
      const token = random.pick(['', 'x', 'null', random.word(43), 'x'.repeat(5000), `${person.token}x`]);
      return { kind, person: undefined, headers: { authorization: random.pick([`Bearer ${token}`, token]) } };
    }
    case 'wrong key': {
      const wrong = random.pick(['', 'x', `${secret}x`, secret.slice(1)]);
      return { kind, person: undefined, headers: { 'x-app-key': key, 'x-app-secret': wrong } };
    }
  }
}

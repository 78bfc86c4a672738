import { type ChannelSources, chooseChannel } from './channels.ts';
import type { FuzzSocket } from './fuzz-socket.ts';
import { oddValues } from './odd-values.ts';
import type { PlantedTexts } from './planted-texts.ts';

/** What frames are made from. */
export interface FrameSources extends ChannelSources {
  readonly planted: PlantedTexts;
  readonly key: string;
  /** Asks the program for what it signs for the person of a socket; undefined if it signs nothing. */
  sign(path: string, parameters: Readonly<Record<string, string>>): Promise<object | undefined>;
}

/** The kinds of frames, by how often they are sent. */
const weights = {
  ping: 4,
  subscribe: 12,
  'subscribe, signed': 24,
  'subscribe, forged': 6,
  unsubscribe: 5,
  'sign in': 5,
  'sign in, forged': 2,
  'client event': 16,
  'odd values': 8,
  'no such event': 3,
  'broken JSON': 5,
  deep: 2,
  large: 1,
  huge: 0.3,
  binary: 1,
  fragments: 2,
  control: 2,
  'no frame': 0.7,
  close: 0.5,
};

/** Sends one frame. @returns its kind and, if it is a text, the text */
export async function sendFrame(
  sources: FrameSources,
  socket: FuzzSocket,
): Promise<[kind: string, text: string]> {
  const { random } = sources;
  const kind = random.weighted(weights);
  switch (kind) {
    case 'binary':
      socket.binary(random.bytes(random.integer(0, 300)));
      return [kind, ''];
    case 'fragments': {
      const text = JSON.stringify(await protocolFrame(sources, socket, 'subscribe'));
      const cut = random.integer(0, text.length);
      socket.fragments([text.slice(0, cut), '', text.slice(cut)]);
      return [kind, text];
    }
    case 'control':
      socket.control(random.pick(['ping', 'pong']), random.bytes(random.pick([0, 1, 125])));
      return [kind, ''];
    case 'no frame':
      socket.raw(random.chance(0.5) ? random.bytes(random.integer(2, 60)) : random.pick(brokenFrames));
      return [kind, ''];
    case 'close':
      socket.close(random.pick([1000, 1001, 3000, 4999]));
      return [kind, ''];
    default: {
      const frame = await protocolFrame(sources, socket, kind);
      const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
      socket.text(text);
      return [kind, text];
    }
  }
}

const brokenFrames: readonly Buffer[] = [
  // Without a mask; a reserved bit; an unknown opcode; a text that is no UTF-8; a control frame that is too long.
  ...[
    [0x81, 0x01, 0x61],
    [0xf1, 0x80, 0, 0, 0, 0],
    [0x83, 0x80, 0, 0, 0, 0],
  ].map((bytes) => Buffer.from(bytes)),
  Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xff]),
  Buffer.from([0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0]),
  // Says that it has 2^63 bytes.
  Buffer.from([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
  // Goes on with what was not begun; closes with an illegal code.
  Buffer.from([0x80, 0x80, 0, 0, 0, 0]),
  Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x00, 0x05]),
];

async function protocolFrame(sources: FrameSources, socket: FuzzSocket, kind: string): Promise<unknown> {
  const { random, known } = sources;
  const channel = chooseChannel(sources);
  const since = random.chance(0.3) ? { since: known.pick('position', random) ?? random.pick(oddValues) } : {};
  const socket_id = random.chance(0.95)
    ? (socket.id ?? '')
    : `${random.integer(1, 9)}.${random.integer(1, 9)}`;
  switch (kind) {
    case 'ping':
      return random.pick([
        { event: 'pusher:ping', data: {} },
        { event: 'pusher:pong', data: {} },
        '{"event":"pusher:ping"}',
      ]);
    case 'subscribe':
      return { event: 'pusher:subscribe', data: { channel, ...since } };
    case 'subscribe, signed': {
      const signed = await sources.sign('/pusher/auth', { socket_id, channel_name: channel });
      return { event: 'pusher:subscribe', data: { channel, ...signed, ...since } };
    }
    case 'subscribe, forged': {
      const uid = random.pick([...sources.cast.insiders, sources.cast.stranger]).uid;
      const channel_data = random.pick([
        JSON.stringify({ user_id: String(uid) }),
        '{',
        '1',
        { user_id: uid },
        null,
      ]);
      const auth = `${sources.key}:${random.pick([random.word(64), '0'.repeat(64), '', 'é'])}`;
      return { event: 'pusher:subscribe', data: { channel, auth, channel_data, ...since } };
    }
    case 'unsubscribe':
      return { event: 'pusher:unsubscribe', data: { channel } };
    case 'sign in': {
      const signed = await sources.sign('/pusher/user-auth', { socket_id });
      return { event: 'pusher:signin', data: signed ?? {} };
    }
    case 'sign in, forged': {
      const user_data = JSON.stringify({ id: String(random.pick(sources.cast.insiders).uid) });
      return { event: 'pusher:signin', data: { auth: `${sources.key}:${random.word(64)}`, user_data } };
    }
    case 'client event':
      return { event: 'client-typing', channel, data: clientData(sources, channel) };
    case 'no such event':
      return {
        event: random.pick(['message', 'pusher:x', 'pusher_internal:subscription_succeeded', 'client', '']),
        channel,
      };
    case 'broken JSON':
      return random.pick([
        '',
        ' ',
        '{',
        'null',
        '[]',
        '1',
        '"x"',
        '{"event":}',
        '{"event":"pusher:ping"',
        '\u0000',
        '{"event":1}',
      ]);
    case 'deep':
      return deepFrame(random.pick([60, 66, 1_000, 40_000]));
    case 'large':
      return {
        event: 'client-x',
        channel,
        data: 'x'.repeat(random.pick([10_230, 10_240, 10_250, 50_000, 102_000])),
      };
    case 'huge':
      return { event: 'client-x', channel, data: 'x'.repeat(random.pick([102_400, 300_000])) };
    default:
      return oddFrame(sources, channel);
  }
}

function deepFrame(levels: number): string {
  return `{"event":"pusher:subscribe","data":${'['.repeat(levels)}${']'.repeat(levels)}}`;
}

/** A frame of the protocol with one part that is something else. */
function oddFrame({ random, key }: FrameSources, channel: string): unknown {
  const odd = () => {
    const value = random.pick(oddValues);
    return typeof value === 'string' && value.length > 20_000 ? value.slice(0, 20_000) : value;
  };
  return random.pick([
    { event: odd() },
    { event: 'pusher:subscribe', data: odd() },
    { event: 'pusher:subscribe', data: { channel: odd() } },
    { event: 'pusher:subscribe', data: { channel, auth: odd(), channel_data: odd() } },
    { event: 'pusher:subscribe', data: { channel, since: odd() } },
    { event: 'pusher:subscribe', data: JSON.stringify({ channel }) },
    { event: 'pusher:signin', data: { auth: `${key}:x`, user_data: odd() } },
    { event: 'pusher:signin', data: odd() },
    { event: 'pusher:unsubscribe', data: { channel: odd() } },
    { event: 'client-x', channel: odd(), data: odd() },
    { event: 'client-x', channel, data: odd() },
    `{"event":"pusher:subscribe","event":"pusher:ping","data":{"__proto__":{"channel":"global"}}}`,
  ]);
}

/** The data of a client event; on the channel of a group, or of two, a text that others must not read. */
function clientData({ planted, random }: FrameSources, channel: string): unknown {
  const [, gid] = /^(?:private|presence)-group-(\d+)$/.exec(channel) ?? [];
  const [, one, other] = /^(?:private|presence)-chat-(\d+)-(\d+)$/.exec(channel) ?? [];
  if (gid !== undefined) return { typing: planted.forGroup(Number(gid)) };
  if (one !== undefined && other !== undefined) return { typing: planted.forTwo(Number(one), Number(other)) };
  return random.chance(0.5) ? { typing: true } : 'typing';
}

import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { type Logger, pino } from 'pino';
import { Uid } from '../../contracts/ids.ts';
import { defaultSettings } from '../../contracts/settings.ts';
import { accountsDatabase } from '../../services/accounts/accounts-tables.ts';
import { tokenHash } from '../../services/accounts/token-hash.ts';
import { createTokens, type Tokens } from '../../services/accounts/tokens.ts';
import { cookieToken } from '../../services/api/caller.ts';
import { createHttp } from '../../services/api/http.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { limitAddresses } from '../../services/edge/address-limit.ts';
import type { PageRequest, Trust } from '../../services/edge/proxies.ts';
import type { Limits } from '../../services/gateway/connections/limits.ts';
import { tokenSessions } from '../../services/gateway/connections/sessions.ts';
import { createGateway, type Gateway } from '../../services/gateway/gateway.ts';
import type { AuthSettings } from '../../services/gateway/http/auth-routes.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { testApp } from '../support/application.ts';
import { createDatabase } from '../support/database.ts';
import { type Committed, type Push, PushWriter } from './push-writer.ts';

export const app = { ...testApp, id: 'bubble-im' };
/** A foreign page that the settings allow. */
export const allowedOrigin = 'https://friend.example';
const silent = pino({ level: 'silent' });

export interface RunningGateway {
  readonly gateway: Gateway;
  readonly port: number;
  /** Starts another gateway on the same port, and drains this one. */
  replace(): Promise<void>;
  close(): Promise<void>;
}

/** A database, a bus, a substitute for the projector, and gateways on them. */
export class Installation {
  readonly pool: Pool;
  readonly bus: Bus;
  readonly tokens: Tokens;
  readonly epoch: string;
  readonly #drop: () => Promise<void>;
  readonly #running: RunningGateway[] = [];
  readonly #pushes: PushWriter;

  private constructor(options: { pool: Pool; bus: Bus; epoch: string; drop: () => Promise<void> }) {
    this.pool = options.pool;
    this.bus = options.bus;
    this.epoch = options.epoch;
    this.#drop = options.drop;
    this.#pushes = new PushWriter(options.pool, options.bus, options.epoch);
    this.tokens = createTokens({ database: accountsDatabase(this.pool), bus: this.bus, logger: silent });
  }

  static async open(bus: Bus = memoryBus(silent)): Promise<Installation> {
    const { url, drop } = await createDatabase();
    const pool = createPool(url, silent);
    const { rows } = await pool.query<{ epoch: string }>(
      `select epoch from followers.checkpoint where name = 'read'`,
    );
    return new Installation({ pool, bus, drop, epoch: rows[0]?.epoch ?? '' });
  }

  /** Starts a gateway with a server of its own, on this installation's bus or another. */
  async start(
    limits: Partial<Limits> = {},
    bus = this.bus,
    {
      trust,
      logger = silent,
      settings = () => defaultSettings,
      host = '127.0.0.1',
    }: { trust?: Trust; logger?: Logger; settings?: () => AuthSettings; host?: string } = {},
  ): Promise<RunningGateway> {
    const server = await createHttp(silent, trust);
    limitAddresses(server, settings);
    const sessions = tokenSessions(this.tokens, async () => ({ token_days: 30 }));
    const cookies = async (request: PageRequest) => cookieToken(request, { origins: allowedOrigin });
    const parts = {
      ...{ bus, database: this.pool, app, sessions, cookieToken: cookies, logger, limits, settings },
    };
    const create = () => createGateway({ ...parts, ...(trust && { trust }) });
    const gateway = create();
    const gateways = [gateway];
    await server.register(gateway.routes);
    gateway.attach(server.server);
    await gateway.start();
    const port = Number(new URL(await server.listen({ port: 0, host })).port);
    const running = {
      gateway,
      port,
      replace: async () => {
        const next = create();
        await next.start();
        await gateways.at(-1)?.drain();
        next.attach(server.server);
        gateways.push(next);
      },
      close: async () => {
        await gateways.at(-1)?.drain();
        await server.close();
      },
    };
    this.#running.push(running);
    return running;
  }

  async close(): Promise<void> {
    for (const running of this.#running) await running.close();
    await this.tokens.close();
    await this.bus.close();
    await this.pool.end();
    await this.#drop();
  }

  /** Registers a person. Returns their token. */
  async register(uid: number, nickname = `person ${uid}`): Promise<string> {
    await this.pool.query(
      `insert into accounts.accounts (uid, username, username_key, number_id, password_hash, registered)
       values ($1, $2, $2, $1, 'hash', true)`,
      [uid, `person${uid}`],
    );
    await this.pool.query(
      `insert into read.users values ($1, $2, $3, '/a.jpg', '', null, $1, false, 'normal', null)`,
      [uid, `person${uid}`, nickname],
    );
    return this.login(uid);
  }

  /** Gives tokens to `count` people, whose uids begin at `first`. */
  async registerMany(first: number, count: number): Promise<string[]> {
    const tokens = Array.from({ length: count }, strangeToken);
    await this.pool.query(
      `insert into accounts.tokens (hash, uid)
       select decode(hash, 'hex'), $2 + number - 1 from unnest($1::text[]) with ordinality as t (hash, number)`,
      [tokens.map(tokenHash), first],
    );
    return tokens;
  }

  async login(uid: number): Promise<string> {
    const { token } = await this.tokens.issue({ uid: Uid.parse(uid), passwordHash: 'hash' });
    return token;
  }

  async befriend(one: number, other: number): Promise<void> {
    await this.pool.query(`insert into read.friendships values ($1, $2, ''), ($2, $1, '')`, [one, other]);
  }

  async createGroup(gid: number, members: readonly number[]): Promise<void> {
    await this.pool.query(
      `insert into read.groups values ($1, $2, 'group', null, '{}', 'normal', false, 0, 1, 1)`,
      [gid, members[0]],
    );
    for (const uid of members) await this.#addMember(gid, uid, '');
  }

  async #addMember(gid: number, uid: number, place: string): Promise<void> {
    await this.pool.query(`insert into read.group_members values ($1, $2, 1, 'member', 0, '', 0, $3)`, [
      gid,
      uid,
      place,
    ]);
  }

  /** Commits one event that removes members from a group; `also` are further pushes of it. */
  async removeMembers(gid: number, uids: readonly number[], also: readonly Push[] = []): Promise<Committed> {
    await this.pool.query('delete from read.group_members where gid = $1 and uid = any($2)', [gid, uids]);
    return this.commit([
      ...also,
      ...uids.map((uid) => ({ channel: `user-${uid}`, event: 'removeGroup', data: { gid } })),
    ]);
  }

  /** Commits one event that adds a person to a group, with a notice in the group. */
  async joinGroup(gid: number, uid: number): Promise<Committed> {
    const { committed, publish } = await this.joinGroupSilently(gid, uid);
    publish();
    return committed;
  }

  /** The same; it is announced when `publish` is called. */
  async joinGroupSilently(gid: number, uid: number) {
    await this.#addMember(gid, uid, this.#pushes.nextPlace);
    return this.commitSilently([
      { channel: `group-${gid}`, event: 'message', data: { content: `${uid} joined` } },
      { channel: `user-${uid}`, event: 'addGroup', data: { gid, groupname: 'group', avatar: '', uid } },
    ]);
  }

  /** Commits one event with its pushes and announces it, as the projector does. */
  async commit(pushes: readonly Push[]): Promise<Committed> {
    const { committed, publish } = await this.commitSilently(pushes);
    publish();
    return committed;
  }

  /** Commits one event with its pushes; it is announced when `publish` is called. */
  commitSilently(pushes: readonly Push[]): Promise<{ committed: Committed; publish: () => void }> {
    return this.#pushes.commit(pushes);
  }

  /** Loses the latest events, like a database that crashed before it wrote to its disk: they are committed again. */
  lose(events: number): Promise<void> {
    return this.#pushes.lose(events);
  }

  /** The position at the end of the log. */
  end(): string {
    return this.#pushes.end;
  }
}

/** A token that was never issued. */
export function strangeToken(): string {
  return randomBytes(32).toString('base64url');
}

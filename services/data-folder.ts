import { access, constants, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from './error-code.ts';
import { whileWriting } from './file-failure.ts';
import { makeFolder } from './make-folder.ts';

/** A folder that is locked by this process. */
export interface DataFolder {
  readonly path: string;
  /** Unlocks it. The lock also ends with the process, however that ends. */
  release(): Promise<void>;
}

/** What errors say of a folder. */
interface FolderNames {
  readonly name: string;
  readonly remedy: string;
}

/** How long to wait for the lock, since a process that was just killed may not have ended yet. */
const lockTimeoutMs = 5_000;

/**
 * Creates the folder if necessary, and locks it for this process. The kernel's lock on a file in it ends with the
 * process, so there are no stale locks. Node has no function for such a lock, but SQLite, which is part of
 * Node, takes one for an exclusive transaction.
 * @throws Error with a message for the operator, if another process holds it
 */
export function lockDataFolder(path: string, timeoutMs = lockTimeoutMs): Promise<DataFolder> {
  return lockFolder(path, { name: 'data folder', remedy: 'stop it, or set another DATA_DIR', timeoutMs });
}

/** How long an export waits for its folder: if two begin at the same moment, one of them goes on. */
const exportTimeoutMs = 1_000;

/** The same for a folder that is exported to: of two exports at once the later one is refused. */
export function lockExportFolder(path: string): Promise<DataFolder> {
  const remedy = 'wait until it has ended';
  return lockFolder(path, { name: 'export folder', remedy, timeoutMs: exportTimeoutMs });
}

/**
 * The same for another folder.
 * @param names how errors name the folder, and what they advise if another process holds it
 */
export async function lockFolder(
  path: string,
  { name, remedy, timeoutMs = lockTimeoutMs }: FolderNames & { readonly timeoutMs?: number },
): Promise<DataFolder> {
  try {
    await makeFolder(path);
  } catch (cause) {
    throw new Error(`cannot create the ${name} ${path}: ${messageOf(cause)}`, { cause });
  }
  const file = lockFile(path);
  await mustBeOurs(path);
  await makePrivate(file);
  const until = performance.now() + timeoutMs;
  let lock = tryLock(file);
  while (lock === undefined) {
    if (performance.now() >= until) throw await inUse(path, { name, remedy });
    // Random, so that two processes do not collide again and again.
    await delay(50 + Math.random() * 50);
    lock = tryLock(file);
  }
  const held = lock;
  const holder = holderFile(path);
  try {
    await whileWriting(holder, writeFile(holder, `${process.pid}\n`));
  } catch (error) {
    held.close();
    throw error;
  }
  let released: Promise<void> | undefined;
  return {
    path,
    release: () => {
      released ??= rm(holder, { force: true }).then(() => held.close());
      return released;
    },
  };
}

/** @throws Error with a message for the operator, if the folder or its lock belongs to another user */
export async function mustBeOurs(path: string): Promise<void> {
  for (const place of [path, lockFile(path)]) {
    const closed = await access(place, constants.R_OK | constants.W_OK).then(
      () => false,
      (error) => errorCode(error) === 'EACCES',
    );
    if (!closed) continue;
    const ours = process.getuid?.() ?? 0;
    throw new Error(
      `${place} belongs to another user than ${ours}, who starts the program: start as that one, or, if ${path} is ` +
        `a copy that root made, run as root: chown -R ${ours} '${path}'`,
    );
  }
}

/** Creates the file with `ax` only: opening and closing an existing one would release our own lock on it. */
async function makePrivate(file: string): Promise<void> {
  try {
    await (await open(file, 'ax', 0o600)).close();
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return;
    throw new Error(`cannot lock ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** An open exclusive transaction that never writes; undefined if another process has one. */
function tryLock(file: string): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec('pragma journal_mode = memory; begin exclusive');
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return undefined;
    throw new Error(`cannot lock ${file}: ${messageOf(error)}`, { cause: error });
  }
}

const sqliteBusy = 5;

/** The process that holds a folder, or that was killed while it did; undefined if there is none. */
export async function holderOf(path: string): Promise<number | undefined> {
  const pid = Number.parseInt(await readFile(holderFile(path), 'utf8').catch(() => ''), 10);
  return pid > 0 ? pid : undefined;
}

const [lockName, holderName] = ['lock', 'pid'];

/** Whether a name in a folder is that of a file by which the folder is locked. */
export function isOfLock(name: string): boolean {
  return name === lockName || name === holderName;
}

function lockFile(path: string): string {
  return join(path, lockName);
}

function holderFile(path: string): string {
  return join(path, holderName);
}

async function inUse(path: string, { name, remedy }: FolderNames): Promise<Error> {
  const pid = await holderOf(path);
  const holder = pid === undefined ? 'another process' : `the process ${pid}`;
  return new Error(`the ${name} ${path} is in use by ${holder}: ${remedy}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { existsSync } from 'node:fs';
import { access, constants, mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

/** The folder of all data, held by this process alone. */
export interface DataFolder {
  readonly path: string;
  /** Lets others have it. The end of the process, of whatever kind, does the same. */
  release(): Promise<void>;
}

/** How long one who has just been killed is given to be gone. */
const patienceMilliseconds = 5_000;

/**
 * Makes the folder where it is not, and takes it for this process. The lock is one of the kernel's on
 * a file in it, which ends with the process however that ends, so there is no stale one. Node has no
 * call for such a lock; SQLite, which comes with Node, takes one for an exclusive transaction.
 * @throws Error, in words for who starts the program, when another process holds it.
 */
export async function holdDataFolder(path: string, patience = patienceMilliseconds): Promise<DataFolder> {
  try {
    await makeFolder(path);
  } catch (cause) {
    throw new Error(`cannot make the data folder ${path}: ${messageOf(cause)}`, { cause });
  }
  const file = join(path, 'lock');
  await mustBeOurs(path, file);
  await makePrivate(file);
  const until = performance.now() + patience;
  let lock = tryLock(file);
  while (lock === undefined) {
    if (performance.now() >= until) throw await inUse(path);
    // Not in step, so that two who wait do not get in each other's way for ever.
    await delay(50 + Math.random() * 50);
    lock = tryLock(file);
  }
  const held = lock;
  const holder = join(path, 'pid');
  await writeFile(holder, `${process.pid}\n`);
  let released: Promise<void> | undefined;
  return {
    path,
    release: () => {
      released ??= rm(holder, { force: true }).then(() => held.close());
      return released;
    },
  };
}

/**
 * Makes a folder and those above it, where they are not. Node's own recursive way never ends where a
 * folder takes no others, as in /proc.
 */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    await makeFolder(dirname(path));
    await makeFolder(path);
  }
}

/** @throws Error, which says what to do, if the folder, or what is in it, belongs to somebody else */
async function mustBeOurs(path: string, file: string): Promise<void> {
  for (const place of [path, file]) {
    const closed = await access(place, constants.R_OK | constants.W_OK).then(
      () => false,
      (error: Error) => 'code' in error && error.code === 'EACCES',
    );
    if (!closed) continue;
    const ours = process.getuid?.() ?? 0;
    throw new Error(
      `${place} belongs to another user than ${ours}, who starts the program: start as that one, or, if ${path} is ` +
        `a copy that root made, run as root: chown -R ${ours} '${path}'`,
    );
  }
}

/** Made by `ax` alone: to open and close one that is there would take our own lock off it. */
async function makePrivate(file: string): Promise<void> {
  try {
    await (await open(file, 'ax', 0o600)).close();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    throw new Error(`cannot lock ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** An open exclusive transaction that never writes; undefined where another process has one. */
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

async function inUse(path: string): Promise<Error> {
  const pid = Number.parseInt(await readFile(join(path, 'pid'), 'utf8').catch(() => ''), 10);
  const holder = pid > 0 ? `the process ${pid}` : 'another process';
  return new Error(`the data folder ${path} is in use by ${holder}: stop it, or set another DATA_DIR`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

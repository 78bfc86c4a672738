import type { Logger } from 'pino';
import type { Environment } from '../../environment.ts';
import type { EventLog } from '../../log/log.ts';
import { openPool, type Purpose } from '../../postgres/connect.ts';
import { auditorName } from '../index/audit-task.ts';
import { HeadFile } from './head-file.ts';
import { type HeadReceiver, HeadSender } from './head-sender.ts';
import { HeadSigning } from './head-signing.ts';
import { type NoteSigner, readVerifierKey, verifierOf } from './note.ts';
import { OwnTree } from './own-tree.ts';
import { Witness } from './witness.ts';

/** One to compare and sign, one to send. */
const connections = 2;

/** A head of the tree takes a few pages of its tables. */
const purpose: Purpose = { name: 'bubble-im audit heads', statementTimeoutMs: 10_000 };

export interface StartHeadSigningOptions {
  readonly environment: Pick<Environment, 'auditWitness'>;
  readonly log: EventLog;
  readonly databaseUrl: string;
  readonly signer: NoteSigner;
  readonly logger: Logger;
}

/** Signing under way, with connections of its own. */
export interface StartedHeadSigning {
  readonly signing: HeadSigning;
  stop(): Promise<void>;
}

/**
 * Begins to sign heads of the tree, and to send them to where AUDIT_WITNESS says.
 * @throws Error if the witness's key is none, in words for who starts the program
 */
export async function startHeadSigning(options: StartHeadSigningOptions): Promise<StartedHeadSigning> {
  const { databaseUrl, environment, log, logger, signer } = options;
  const { auditWitness: witness } = environment;
  // Before anything is opened, since the key may be none.
  const verifier = witness && 'url' in witness ? readVerifierKey(witness.verifierKey) : undefined;
  const database = openPool(databaseUrl, purpose, {
    max: connections,
    onBroken: (reason) => logger.warn({ reason }, 'a connection for signing heads broke'),
  });
  let receiver: HeadReceiver | undefined;
  const tree = new OwnTree({ log, database, follower: auditorName });
  if (witness && 'file' in witness)
    receiver = new HeadFile({ path: witness.file, verifier: verifierOf(signer), tree });
  else if (witness && verifier) receiver = new Witness({ url: witness.url, verifier, database, tree });
  const sender = receiver && new HeadSender(receiver, logger);
  const signing = new HeadSigning({
    ...{ log, database, signer, logger, follower: auditorName },
    sender,
  });
  signing.start();
  return {
    signing,
    async stop() {
      await signing.stop();
      await sender?.stop();
      await database.end();
    },
  };
}

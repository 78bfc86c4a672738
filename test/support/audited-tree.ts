import { randomBytes } from 'node:crypto';
import { history } from '../../scripts/seed/history.ts';
import { signingKey } from '../../services/audit/tree/note.ts';
import { treeConsumer } from '../../services/audit/tree/tree-consumer.ts';
import { appendInOrder } from '../../services/log/append-in-order.ts';
import type { AuditedLog } from './auditing.ts';

/** What an auditor hands the log to, to keep its tree. */
export const consumers = [treeConsumer];

/** Signs the heads of the tree. */
export const signer = { name: 'bubble-im/test', key: signingKey(randomBytes(32)) };

/** Fills a log with a history. @param name decides which one */
export async function seed({ log }: AuditedLog, events: number, name = 'verify'): Promise<void> {
  await appendInOrder(log, history({ events, seed: name }), () => undefined);
}

/** Lets an auditor index all that the log holds. */
export async function audit(audited: AuditedLog): Promise<void> {
  const auditor = await audited.startAuditor({ consumers });
  await audited.indexed(auditor);
  await auditor.stop();
}

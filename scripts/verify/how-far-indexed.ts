import { storedExtent } from '../../services/audit/tree/stored-extent.ts';
import type { Audit } from './with-audit.ts';

/**
 * Says on stderr how far the index reaches, if it ends before the log did when the command began: what lies behind is not
 * compared. The record of the command itself is mostly not indexed yet, and does not count.
 * @throws what `pg` throws
 */
export async function sayHowFarIndexed({ pool, before }: Pick<Audit, 'pool' | 'before'>): Promise<void> {
  const { events, checkpoint } = await storedExtent(pool);
  if (events === 0 || checkpoint >= before) return;
  process.stderr.write(
    `verify: the index has ${events} events, up to ${checkpoint}, and the log ends at ${before}: the rest is not compared; ` +
      'verify again once the auditor has it\n',
  );
}

import { Pool } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isAsItWas } from '../../../services/audit/tree/verified.ts';
import { verifiedInWords } from '../../../services/audit/tree/verified-words.ts';
import { verifyLog } from '../../../services/audit/tree/verify-log.ts';
import { audit, signer } from '../../support/audited-tree.ts';
import { auditedLogs } from '../../support/auditing.ts';
import { befriended, between, created, registered, sent } from '../../support/events.ts';

describe.each(auditedLogs)('npm run verify of a log in %s', (_, open) => {
  test('names events that by their data belong to other streams, and no others', async () => {
    const audited = await open();
    const pool = new Pool({ connectionString: audited.url });
    onTestFinished(async () => {
      await pool.end();
      await audited.close();
    });
    const verify = () => verifyLog({ log: audited.log, database: pool, origin: signer.name });
    for (const event of [
      ...[registered(2, '甲'), registered(3, '乙'), befriended(3, 2), created(50, '群', 2, 3)],
      sent(between(2, 3), 2, 1, 'text'),
    ]) {
      await audited.append(event);
    }
    await audit(audited);
    expect(isAsItWas(await verify())).toBe(true);

    await audited.appendRaw('user-3', 'ProfileChanged', { uid: 2, nickname: '丙' });
    await audited.appendRaw('user-02', 'ProfileChanged', { uid: 2, nickname: '丙' });
    await audited.appendRaw('friendship-3-2', 'Unfriended', { by: 3, friend: 2 });
    await audited.appendRaw('conversation-f3-2', 'MessageSent', {
      ...sent(between(2, 3), 2, 2, 'text').data,
      conversation: 'f3-2',
    });
    await audited.appendRaw('access', 'ProfileChanged', { uid: 2, nickname: '丙' });
    const verified = await verify();
    expect(isAsItWas(verified)).toBe(false);
    expect(verified.misplaced.map(({ stream, misplacement }) => [stream, misplacement])).toEqual([
      ['user-3', 'of another stream'],
      ['user-02', 'of another stream'],
      ['friendship-3-2', 'of another stream'],
      ['conversation-f3-2', 'of another stream'],
      ['access', 'of another stream'],
    ]);
    expect(verifiedInWords(verified)).toMatch(
      /^MISPLACED: user-3@1 \(ProfileChanged\) at position .* by its data it belongs to another stream/,
    );
  });
});

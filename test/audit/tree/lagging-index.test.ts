import { describe, expect, onTestFinished, test } from 'vitest';
import { history } from '../../../scripts/seed/history.ts';
import { treeConsumer } from '../../../services/audit/tree/tree-consumer.ts';
import { appendInOrder } from '../../../services/log/append-in-order.ts';
import { auditedLogs } from '../../support/auditing.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { runScript } from '../../support/script.ts';

describe.each([
  ['--index', /^The index is what the log gives: its 2\d events do not differ/],
  ['--streams', /^The streams are what the index says: their 2\d events do not differ/],
])('npm run verify -- %s', (option, answer) => {
  test('says how far the index reaches, and that the rest is not compared, while the auditor lags', async () => {
    const audited = await auditedLogs[0][1]();
    onTestFinished(() => audited.close());
    const environment = { ...audited.environment, DATA_DIR: await temporaryFolder() };
    const events = Array.from(history({ events: 30, seed: 'lagging' }));
    await appendInOrder(audited.log, events.slice(0, 20), () => undefined);
    const auditor = await audited.startAuditor({ consumers: [treeConsumer] });
    await audited.indexed(auditor);
    const whole = await runScript('verify', [option], environment);
    await auditor.stop();
    await appendInOrder(audited.log, events.slice(20), () => undefined);
    const lagging = await runScript('verify', [option], environment);

    expect(whole.stdout).toMatch(answer);
    expect(whole.stderr).not.toContain('the rest is not compared');
    expect(lagging.stderr).toMatch(
      /the index has 2\d events, up to \d+, and the log ends at \d+: the rest is not compared/,
    );
    expect(lagging.code).toBe(0);
  });
});

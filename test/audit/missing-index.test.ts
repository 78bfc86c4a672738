import { expect, onTestFinished, test } from 'vitest';
import { auditedLogs } from '../support/auditing.ts';
import { registered } from '../support/events.ts';
import { runScript } from '../support/script.ts';

test('replay says when the log lacks the index of streams, as before the first start of a new version', async () => {
  const world = await auditedLogs[0][1]();
  onTestFinished(() => world.close());
  await world.append(registered(1, '甲'));
  const replay = () => runScript('replay', [], { DATABASE_URL: world.url, LOG_LEVEL: 'error' });
  expect(await replay()).toMatchObject({ code: 0, stderr: '' });

  await world.query('drop index log.events_stream_revision');
  expect(await replay()).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('registered person 1'),
    stderr: expect.stringMatching(/^the tables are of an older version, .* npm run migrate/),
  });
});

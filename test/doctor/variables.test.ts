import { expect, test } from 'vitest';
import { examineVariables } from '../../scripts/doctor/variables.ts';

const found = (given: Record<string, string>, file: Record<string, string> = {}) =>
  examineVariables({ PATH: '/bin', HOME: '/root', ...given }, file).map(
    ({ state, found: text, remedy }) => `${state}: ${text}: ${remedy}`,
  );

test('a variable that is almost one of ours is named with the one that was meant', () => {
  expect(found({ TURST_PROXY: '1', DATABSE_URL: 'postgres://db/im', log_level: 'debug' })).toEqual([
    'warning: TURST_PROXY is read by nothing: did you mean TRUST_PROXY?',
    'warning: DATABSE_URL is read by nothing: did you mean DATABASE_URL?',
    'warning: log_level is read by nothing: did you mean LOG_LEVEL?',
  ]);
});

test('each value that is wrong is a fault of its own, which names the variable and no secret', () => {
  const faults = found({ PORT: '99999', APP_KEY: 'key-1', NATS_URL: 'http://user:geheim@nats' });
  expect(faults).toEqual([
    expect.stringMatching(/^fault: PORT must be a whole number from 0 to 65535, not "99999"/),
    expect.stringMatching(/^fault: NATS_URL must be a URL that begins with nats:\/\/ or tls:\/\//),
    expect.stringMatching(/^fault: APP_KEY needs APP_SECRET beside it/),
  ]);
  expect(faults.join()).not.toContain('geheim');
});

test('a line of .env that nobody reads, or that the environment overrides, is named', () => {
  const file = { PORT: '80', CHAT_NAME: 'pop', AWS_REGION: 'eu', HOST: '::' };
  expect(found({ ...file, PORT: '81' }, file)).toEqual([
    'warning: .env has CHAT_NAME, which is read by nothing: remove the line',
    'warning: PORT is in .env and, with another value, in the environment, which counts: remove one of the two',
  ]);
});

test('variables of others, and names that only resemble ours, are nothing to report', () => {
  expect(found({ NODE_ENV: 'test', HOSTNAME: 'box', PWD: '/', APP_ENV: 'x', TERM: 'xterm' })).toEqual([
    'ok: all have their defaults: undefined',
  ]);
});

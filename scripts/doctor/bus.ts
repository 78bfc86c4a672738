import { connect } from 'nats';
import { connectionOptions, permanentFailure } from '../../services/bus/nats-options.ts';
import { reasonOf } from '../../services/error-reason.ts';
import { examineCertificate } from './certificate.ts';
import { type Finding, findings } from './finding.ts';
import { medianMs, shownMs } from './latency.ts';

const { ok, fault } = findings('bus');

/** Whether NATS answers and accepts our credentials. */
export async function examineBus(url: string | undefined): Promise<Finding[]> {
  if (url === undefined) return [ok('in memory, for one process')];
  const certificates = url.split(',').flatMap((each) => {
    const { protocol, hostname, port, host } = new URL(each.trim());
    if (protocol !== 'tls:') return [];
    const server = { host: hostname, port: Number(port || 4222), preamble: 'nats' } as const;
    return [examineCertificate({ name: `NATS at ${host}`, ...server })];
  });
  return [await examineConnection(url), ...(await Promise.all(certificates))];
}

async function examineConnection(url: string): Promise<Finding> {
  const options = connectionOptions(url);
  const name = `NATS at ${[options.servers].flat().join(', ')}`;
  try {
    const connection = await connect({ ...options, reconnect: false });
    try {
      const latency = await medianMs(() => connection.flush());
      return ok(`${name}, version ${connection.info?.version}, answers in ${shownMs(latency)}`);
    } finally {
      await connection.close();
    }
  } catch (error) {
    const failure = permanentFailure(error);
    const why = failure === undefined ? `does not answer: ${reasonOf(error)}` : failure.message;
    const remedy =
      failure === undefined ? 'start it, or correct NATS_URL' : 'correct NATS_URL, or its certificate';
    return fault(`${name}: ${why}`, remedy);
  }
}

import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import type { Settings } from '../../contracts/settings.ts';
import type { Environment } from '../../services/environment.ts';
import { reasonOf } from '../../services/error-reason.ts';
import { openBucket } from '../../services/files/bucket.ts';
import { isMissing } from '../../services/files/local-folder.ts';
import { examineCertificate } from './certificate.ts';
import { type Finding, findings } from './finding.ts';
import { medianMs, shownMs } from './latency.ts';
import { connectionMs, endpointOf } from './reachable.ts';

/** Whether the bucket of uploads can be used. */
export async function examineUploads({ bucket }: Environment, logger: Logger): Promise<Finding[]> {
  const { ok, fault, refused } = findings('uploads');
  if (bucket === undefined) return [ok('in the data folder')];
  try {
    const store = await openBucket(bucket, logger);
    try {
      if (!(await store.healthy())) {
        return [fault(`the bucket ${bucket.name} cannot be reached`, 'look at S3_ENDPOINT and at the store')];
      }
      const latency = await medianMs(() => store.healthy());
      const found = ok(`the bucket ${bucket.name} answers in ${shownMs(latency)}`);
      return [found, ...(await certificateOf('the store of uploads', bucket.endpoint))];
    } finally {
      await store.close();
    }
  } catch (error) {
    return [refused(error)];
  }
}

/** Whether SMS can be sent. None is sent: an account is tried by its first SMS. */
export async function examineSms(
  { aliyunSms }: Environment,
  { register_sms: registerSms }: Pick<Settings, 'register_sms'>,
): Promise<Finding[]> {
  const { ok, warning } = findings('SMS');
  if (aliyunSms === undefined) {
    const found = 'none is sent: codes are shown at /dev/sms to the server’s key';
    if (registerSms === 'off') return [ok(`${found}; people join without one (register_sms off)`)];
    return [warning(found, 'set ALIYUN_SMS_SIGN and what it needs, or the setting register_sms to off')];
  }
  const { endpoint, sign, template } = aliyunSms;
  const found = `Aliyun sends them: signature ${sign}, template ${template}`;
  return [ok(found), ...(await reach('SMS', 'Aliyun', endpoint, 'ALIYUN_SMS_ENDPOINT'))];
}

/** Whether heads of the log can be sent where AUDIT_WITNESS says. */
export async function examineWitness({ audit, auditWitness }: Environment): Promise<Finding[]> {
  const about = 'witness';
  const { ok, fault } = findings(about);
  if (!audit || auditWitness === undefined) return [];
  if ('url' in auditWitness) return reach(about, 'the witness', auditWitness.url, 'AUDIT_WITNESS');
  const { file } = auditWitness;
  try {
    await access(file, constants.W_OK).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
      return access(dirname(file), constants.W_OK);
    });
    return [ok(`heads are appended to ${file}`)];
  } catch (error) {
    return [
      fault(
        `${file} cannot be written: ${reasonOf(error)}`,
        'correct AUDIT_WITNESS, or the rights of the file',
      ),
    ];
  }
}

/** Whether a server of a URL takes connections, and until when its certificate is valid. */
async function reach(about: string, name: string, url: string, variable: string): Promise<Finding[]> {
  const { ok, warning } = findings(about);
  const { host, port } = endpointOf(new URL(url));
  try {
    const ms = await connectionMs(host, port);
    return [ok(`${name} at ${host} is reached in ${shownMs(ms)}`), ...(await certificateOf(name, url))];
  } catch (error) {
    const found = `${name} at ${host}:${port} cannot be reached: ${reasonOf(error)}`;
    return [warning(found, `look at the network, or correct ${variable}`)];
  }
}

async function certificateOf(name: string, url: string | undefined): Promise<Finding[]> {
  if (url === undefined || !url.startsWith('https:')) return [];
  return [await examineCertificate({ name, ...endpointOf(new URL(url)) })];
}

import { duration } from '../cli/progress.ts';
import { type Finding, findings } from './finding.ts';

/**
 * From this difference on times in answers of two processes disagree visibly; stores of S3 and Aliyun refuse requests
 * whose time is 15 minutes off.
 */
const warningMs = 1_000;
const faultMs = 300_000;

/**
 * Compares a server's clock with ours.
 * @param differenceMs by how much ours is ahead
 * @param accuracyMs how far off the comparison itself may be
 */
export function compareClock(server: string, differenceMs: number, accuracyMs: number): Finding {
  const { ok, warning, fault } = findings('clock');
  const apart = Math.max(0, Math.abs(differenceMs) - accuracyMs);
  if (apart < warningMs) return ok(`the one of ${server} is ours`);
  const judge = apart >= faultMs ? fault : warning;
  const side = differenceMs > 0 ? 'behind' : 'ahead of';
  return judge(
    `the one of ${server} is ${duration(apart / 1000)} ${side} ours`,
    'have both machines set their clocks by NTP (timedatectl set-ntp true)',
  );
}

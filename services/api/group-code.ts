import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Gid } from '../../contracts/ids.ts';
import type { App } from '../app-keys/signature.ts';
import type { LivingGroup } from '../domain/group.ts';

/**
 * The token by which a group's QR code opens its door: signed, so that nobody makes one who cannot ask for
 * it, and of the number of revocations so far, so that revoking makes all of them worthless.
 */
export function groupCode({ secret }: App, { gid, revokedCodes }: Door): string {
  const signed = createHmac('sha256', secret).update(`group code\n${gid}\n${revokedCodes}`);
  return signed.digest().subarray(0, 18).toString('base64url');
}

type Door = Pick<LivingGroup, 'revokedCodes'> & { readonly gid: Gid };

/** Whether a token is the group's present one; compares in a time that tells nothing of where they differ. */
export function opensGroup(app: App, door: Door, token: string): boolean {
  const [given, expected] = [Buffer.from(token), Buffer.from(groupCode(app, door))];
  return given.length === expected.length && timingSafeEqual(given, expected);
}

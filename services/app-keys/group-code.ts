import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Gid } from '../../contracts/ids.ts';
import type { App } from './signature.ts';

/** What a group's token is made of. */
interface CodedGroup {
  readonly gid: Gid;
  /** How often its tokens were revoked. */
  readonly revokedCodes: number;
}

/**
 * The token in a group's QR code. It is signed, so that only members, who can ask for it, have it; the number
 * of revocations is part of it, so that each revocation makes all earlier tokens invalid.
 */
export function groupCode({ secret }: App, { gid, revokedCodes }: CodedGroup): string {
  const signed = createHmac('sha256', secret).update(`group code\n${gid}\n${revokedCodes}`);
  return signed.digest().subarray(0, 18).toString('base64url');
}

/** Whether a token is the group's current one, compared in constant time. */
export function opensGroup(app: App, group: CodedGroup, token: string): boolean {
  const [given, expected] = [Buffer.from(token), Buffer.from(groupCode(app, group))];
  return given.length === expected.length && timingSafeEqual(given, expected);
}

import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ContentHashes } from '../../services/commands/content-hashes.ts';

describe('the hash of a content', () => {
  const hashes = new ContentHashes('a secret of the app', 'installation');

  it('is the same in every process of an installation, and another for another text', () => {
    const elsewhere = new ContentHashes('a secret of the app', 'installation');
    expect(hashes.of('好')).toBe(elsewhere.of('好'));
    expect(elsewhere.isOf(hashes.of('好'), '好')).toBe(true);
    expect(elsewhere.isOf(hashes.of('好'), '坏')).toBe(false);
  });

  it('is another under another secret or in another installation, which cannot judge it', () => {
    for (const others of [
      new ContentHashes('another secret', 'installation'),
      new ContentHashes('a secret of the app', 'other'),
    ]) {
      expect(others.of('好')).not.toBe(hashes.of('好'));
      expect(others.isOf(hashes.of('好'), '好')).toBeUndefined();
      expect(others.isOf(hashes.of('好'), '坏')).toBeUndefined();
    }
  });

  it('of older programs, a bare sha-256, is still judged', () => {
    const older = hash('sha256', '好', 'hex');
    expect(hashes.isOf(older, '好')).toBe(true);
    expect(hashes.isOf(older, '坏')).toBe(false);
  });
});

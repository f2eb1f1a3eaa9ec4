import { describe, expect, it } from '@jest/globals';
import { CheckpointSigner } from './checkpoint-signer.js';
import { TrustedKeys } from './trusted-keys.js';

const signer = new CheckpointSigner({ encryptionKey: Buffer.alloc(32, 1) });
const keys = new TrustedKeys(signer, []);
const unsigned = {
  sequence: 12,
  lines: 2,
  merkleRoot: Buffer.alloc(32, 3),
  lastHash: Buffer.alloc(32, 4),
  at: '2026-01-02T03:04:05.678901Z',
};

describe('CheckpointSigner', () => {
  it('knows its own signatures again, also after a restart', () => {
    const again = new CheckpointSigner({ encryptionKey: Buffer.alloc(32, 1) });
    expect(new TrustedKeys(again, []).stateOf(signer.sign(unsigned))).toBe('valid');
  });

  it.each([
    { sequence: 13 },
    { lines: 3 },
    { merkleRoot: Buffer.alloc(32) },
    { lastHash: Buffer.alloc(32) },
    { at: '2026-01-02T03:04:05.678902Z' },
    { signature: Buffer.alloc(64) },
    { signature: Buffer.alloc(0) },
  ])('refuses a checkpoint in which something was changed: %j', (change) => {
    expect(keys.stateOf({ ...signer.sign(unsigned), ...change })).toBe('invalid');
  });

  it('tells a checkpoint of another key from a forged one', () => {
    const other = new CheckpointSigner({ encryptionKey: Buffer.alloc(32, 2) });
    const foreign = other.sign(unsigned);
    expect(keys.stateOf(foreign)).toBe('of another key');
    expect(keys.stateOf({ ...foreign, keyId: signer.sign(unsigned).keyId })).toBe('invalid');
  });
});

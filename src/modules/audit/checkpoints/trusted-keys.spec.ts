import { describe, expect, it } from '@jest/globals';
import type { UnsignedCheckpoint } from './checkpoint.js';
import { CheckpointSigner } from './checkpoint-signer.js';
import { TrustedKeys } from './trusted-keys.js';

const [first, second, third, mallory] = [1, 2, 3, 4].map(
  (fill) => new CheckpointSigner({ encryptionKey: Buffer.alloc(32, fill) }),
) as [CheckpointSigner, CheckpointSigner, CheckpointSigner, CheckpointSigner];

function summary(sequence: number): UnsignedCheckpoint {
  return {
    sequence,
    lines: 10,
    merkleRoot: Buffer.alloc(32, 3),
    lastHash: Buffer.alloc(32, sequence),
    at: '2026-01-02T03:04:05.678901Z',
  };
}

const [ten, twenty] = [first.sign(summary(10)), second.sign(summary(20))];
/** The first key signed until line 10, the second until line 20. */
const succession = [second.vouchFor(first, ten), third.vouchFor(second, twenty)];

describe('TrustedKeys', () => {
  it('trusts every key before, each vouched for by the one after it, in whatever order they are told', () => {
    for (const formerKeys of [succession, succession.toReversed()]) {
      const keys = new TrustedKeys(third, formerKeys);
      expect([ten, twenty, third.sign(summary(30))].map((each) => keys.stateOf(each))).toEqual([
        'valid',
        'valid',
        'valid',
      ]);
      expect(keys.stateOf({ ...ten, lines: 9 })).toBe('invalid');
    }
  });

  it('trusts none for whom nobody vouches who is trusted', () => {
    const [firstKey, secondKey] = succession;
    if (!firstKey || !secondKey) throw new Error('There is no succession');
    expect(new TrustedKeys(third, []).stateOf(ten)).toBe('of another key');
    expect(new TrustedKeys(third, [firstKey]).stateOf(ten)).toBe('of another key');
    expect(new TrustedKeys(first, succession).stateOf(twenty)).toBe('of another key');
    const forged = mallory.sign(summary(10));
    const vouched = mallory.vouchFor(mallory, forged);
    expect(new TrustedKeys(third, [vouched]).stateOf(forged)).toBe('of another key');
    expect(new TrustedKeys(third, [{ ...vouched, vouchedBy: third.keyId }]).stateOf(forged)).toBe('of another key');
    expect(new TrustedKeys(second, [{ ...firstKey, lastSequence: 99 }]).stateOf(ten)).toBe('of another key');
  });

  it('counts nothing that a former key signs after it was rotated out, or in place of what it had signed', () => {
    const keys = new TrustedKeys(third, succession);
    expect(keys.stateOf(first.sign(summary(11)))).toBe('of another key');
    expect(keys.stateOf(first.sign({ ...summary(10), lastHash: Buffer.alloc(32, 99) }))).toBe('invalid');
  });

  it('keeps those before a key that signed nothing, and takes back one that was used before', () => {
    const unused = [second.vouchFor(first, ten), third.vouchFor(second, ten)];
    expect(new TrustedKeys(third, unused).stateOf(ten)).toBe('valid');
    const back = [
      second.vouchFor(first, ten),
      first.vouchFor(second, twenty),
      third.vouchFor(first, first.sign(summary(30))),
    ];
    expect(new TrustedKeys(first, back.slice(0, 2)).stateOf(first.sign(summary(30)))).toBe('valid');
    const keys = new TrustedKeys(third, back);
    expect([ten, twenty, first.sign(summary(30))].map((each) => keys.stateOf(each))).toEqual([
      'valid',
      'valid',
      'valid',
    ]);
  });
});

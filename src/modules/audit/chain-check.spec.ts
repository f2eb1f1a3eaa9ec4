import { describe, expect, it } from '@jest/globals';
import { ChainCheck, type SealedLine } from './chain-check.js';
import type { Checkpoint } from './checkpoints/checkpoint.js';
import { CheckpointSigner } from './checkpoints/checkpoint-signer.js';
import type { BadAuditLineDto } from './dto/audit-verification.dto.js';
import { GENESIS_HASH, lineHash } from './line-hash.js';
import { TrustedKeys } from './checkpoints/trusted-keys.js';
import { MerkleTree } from './checkpoints/merkle-tree.js';

const signer = new CheckpointSigner({ encryptionKey: Buffer.alloc(32, 1) });

function content(sequence: number, action = 'thing.done') {
  const at = '2026-01-02T03:04:05.000000Z';
  return {
    id: String(sequence),
    at,
    actor: 'system',
    action,
    subject: null,
    request_id: null,
    ip: null,
    details: '{}',
  };
}

/** A chain of lines 1 to `length`, in which `actions` replaces what some of them say. */
function chainOf(length: number, actions: Record<number, string> = {}): SealedLine[] {
  let prevHash = GENESIS_HASH;
  return Array.from({ length }, (_, index) => {
    const sequence = index + 1;
    const line = content(sequence, actions[sequence]);
    const hash = lineHash(prevHash, sequence, line);
    const sealed = { ...line, sequence, prev_hash: prevHash, hash };
    prevHash = hash;
    return sealed;
  });
}

function checkpointOf(lines: readonly SealedLine[], by = signer): Checkpoint {
  const tree = new MerkleTree();
  lines.forEach(({ hash }) => tree.add(hash ?? GENESIS_HASH));
  const { sequence, hash } = lines.at(-1)!;
  const at = '2026-01-02T03:05:00.000000Z';
  return by.sign({ sequence, lines: lines.length, merkleRoot: tree.root(), lastHash: hash!, at });
}

function check(lines: readonly SealedLine[], checkpoints: readonly Checkpoint[] = []): BadAuditLineDto | undefined {
  const chain = new ChainCheck(new TrustedKeys(signer, []));
  for (const line of lines) {
    const checkpoint = checkpoints.find(({ sequence }) => sequence === line.sequence);
    const bad = chain.line(line) ?? (checkpoint && chain.checkpoint(checkpoint));
    if (bad) return bad;
  }
  return undefined;
}

describe('ChainCheck', () => {
  it('holds for what was sealed, and knows the last line', () => {
    const lines = chainOf(5);
    const chain = new ChainCheck(new TrustedKeys(signer, []));
    expect(lines.map((line) => chain.line(line))).toEqual(lines.map(() => undefined));
    expect(chain.lastSequence).toBe(5);
    expect(chain.lastHash).toEqual(lines[4]!.hash);
  });

  it('names a line whose text was changed', () => {
    const lines = chainOf(5).map((line) => (line.sequence === 3 ? { ...line, actor: 'cli:mallory' } : line));
    expect(check(lines)).toEqual({ sequence: 3, reason: expect.stringContaining('not what was sealed') });
  });

  it('names a line that was removed', () => {
    const lines = chainOf(5).filter(({ sequence }) => sequence !== 3);
    expect(check(lines)).toEqual({ sequence: 3, reason: 'The line is missing.' });
  });

  it('names the first of two lines that changed places', () => {
    const [one, two, three, four] = chainOf(4);
    expect(check([one!, { ...three!, sequence: 2 }, { ...two!, sequence: 3 }, four!])?.sequence).toBe(2);
  });

  it('names a forged line, chained or not', () => {
    const lines = chainOf(3);
    const unchained = { ...content(4), sequence: 4, prev_hash: Buffer.alloc(32, 7), hash: Buffer.alloc(32, 9) };
    const chained = { ...unchained, prev_hash: lines[2]!.hash };
    expect(check([...lines, unchained])?.sequence).toBe(4);
    expect(check([...lines, chained])?.sequence).toBe(4);
    expect(check([...lines, { ...chained, hash: null }])?.sequence).toBe(4);
  });

  it('names the line where another chain, whole in itself, was put in', () => {
    const foreign = Buffer.alloc(32, 7);
    const forged = { ...content(4), sequence: 4, prev_hash: foreign, hash: lineHash(foreign, 4, content(4)) };
    expect(check([...chainOf(3), forged])).toEqual({ sequence: 4, reason: expect.stringContaining('does not follow') });
  });

  it('names a line at a place already taken', () => {
    const lines = chainOf(3);
    expect(check([...lines, lines[2]!])).toEqual({ sequence: 3, reason: expect.stringContaining('Two lines') });
  });

  it('names the lines of the first checkpoint that does not match when the chain was made anew', () => {
    const honest = chainOf(9);
    const checkpoints = [0, 3, 6].map((from) => checkpointOf(honest.slice(from, from + 3)));
    expect(check(honest, checkpoints)).toBeUndefined();

    const rewritten = chainOf(9, { 5: 'nothing.happened' });
    expect(check(rewritten)).toBeUndefined();
    expect(check(rewritten, checkpoints)).toEqual({ sequence: 4, reason: expect.stringContaining('chained anew') });
  });

  it('holds a checkpoint to both its root and its last hash', () => {
    const lines = chainOf(3);
    const { signature: _, keyId: __, ...summary } = checkpointOf(lines);
    expect(check(lines, [signer.sign(summary)])).toBeUndefined();
    expect(check(lines, [signer.sign({ ...summary, merkleRoot: Buffer.alloc(32) })])?.sequence).toBe(1);
    expect(check(lines, [signer.sign({ ...summary, lastHash: Buffer.alloc(32) })])?.sequence).toBe(1);
  });

  it('holds a missing checkpoint against the log', () => {
    const lines = chainOf(6);
    const second = checkpointOf(lines.slice(3));
    expect(check(lines, [second])).toEqual({ sequence: 1, reason: expect.stringContaining('is missing') });
  });

  it('holds a checkpoint of another key, or with a wrong signature, against the log', () => {
    const lines = chainOf(3);
    const other = new CheckpointSigner({ encryptionKey: Buffer.alloc(32, 2) });
    const honest = checkpointOf(lines);
    expect(check(lines, [checkpointOf(lines, other)])?.reason).toContain('of another key');
    expect(check(lines, [{ ...honest, at: '2026-01-02T03:05:00.000001Z' }])?.reason).toContain('invalid');
  });
});

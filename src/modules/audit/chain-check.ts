import type { Checkpoint } from './checkpoints/checkpoint.js';
import { MerkleTree } from './checkpoints/merkle-tree.js';
import type { TrustedKeys } from './checkpoints/trusted-keys.js';
import type { BadAuditLineDto } from './dto/audit-verification.dto.js';
import { GENESIS_HASH, type LineContent, lineHash } from './line-hash.js';

/** A line of the chain as it is stored. */
export interface SealedLine extends LineContent {
  sequence: number;
  prev_hash: Buffer | null;
  hash: Buffer | null;
}

/**
 * Follows the chain from its first line, line by line and checkpoint by checkpoint, and says where it first breaks.
 * Pure: it is handed everything in the order of the sequence.
 */
export class ChainCheck {
  /** The last line that held, 0 before the first. */
  lastSequence = 0;
  lastHash = GENESIS_HASH;
  /** Checkpoints that held. */
  checkpoints = 0;

  private lastCheckpoint = 0;
  private tree = new MerkleTree();

  constructor(private readonly keys: Pick<TrustedKeys, 'stateOf'>) {}

  line(line: SealedLine): BadAuditLineDto | undefined {
    const { sequence, prev_hash: prevHash, hash } = line;
    const expected = this.lastSequence + 1;
    if (sequence > expected) return { sequence: expected, reason: 'The line is missing.' };
    if (sequence < expected) return { sequence, reason: 'Two lines have this place in the chain.' };
    if (!prevHash?.equals(this.lastHash)) {
      return { sequence, reason: 'The line does not follow the one before it: moved, forged or put in its place.' };
    }
    if (!hash?.equals(lineHash(prevHash, sequence, line))) {
      return { sequence, reason: 'The line is not what was sealed: changed or forged.' };
    }
    this.lastSequence = sequence;
    this.lastHash = hash;
    this.tree.add(hash);
    return undefined;
  }

  /** A checkpoint at the line handed in last. */
  checkpoint(checkpoint: Checkpoint): BadAuditLineDto | undefined {
    const { sequence, lines, merkleRoot, lastHash } = checkpoint;
    const first = this.lastCheckpoint + 1;
    const bad = (reason: string): BadAuditLineDto => ({
      sequence: first,
      reason: `Lines ${first} to ${sequence}: ${reason}`,
    });

    const signature = this.keys.stateOf(checkpoint);
    if (signature !== 'valid') return bad(`the signature of their checkpoint is ${signature}.`);
    if (sequence - lines !== this.lastCheckpoint) return bad('a checkpoint among them is missing.');
    if (!lastHash.equals(this.lastHash) || !merkleRoot.equals(this.tree.root())) {
      return bad('at least one was changed and chained anew; they do not match their signed checkpoint.');
    }
    this.lastCheckpoint = sequence;
    this.tree = new MerkleTree();
    this.checkpoints += 1;
    return undefined;
  }
}

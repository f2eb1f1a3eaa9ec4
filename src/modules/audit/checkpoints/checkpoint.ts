import { canonicalJson } from '../../../kernel/canonical-json.js';
import type { AuditCheckpointDto } from '../dto/audit-checkpoint.dto.js';

/**
 * A signed summary of the chain: whoever rewrites the log must also forge every checkpoint after the change, and whoever
 * cuts its tail must also remove the checkpoints kept elsewhere.
 */
export interface UnsignedCheckpoint {
  /** The last line it covers. */
  sequence: number;
  /** How many lines it covers: those since the checkpoint before, `sequence - lines + 1` to `sequence`. */
  lines: number;
  /** Over the hashes of those lines (see `MerkleTree`). */
  merkleRoot: Buffer;
  /** `hash` of the last line, which through the chain stands for every line before. */
  lastHash: Buffer;
  /** RFC 3339, UTC, microseconds. */
  at: string;
}

export interface Checkpoint extends UnsignedCheckpoint {
  /** Names the public key. */
  keyId: string;
  /** Ed25519 over `checkpointText`. */
  signature: Buffer;
}

/** The exact text a checkpoint's signature covers. */
export function checkpointText({ sequence, lines, merkleRoot, lastHash, at }: UnsignedCheckpoint): string {
  return canonicalJson({
    v: 1,
    sequence,
    lines,
    merkleRoot: merkleRoot.toString('hex'),
    lastHash: lastHash.toString('hex'),
    at,
  });
}

/** A checkpoint as it is shown, logged and written to a file: bytes in hex. */
export function checkpointToJson(checkpoint: Checkpoint): AuditCheckpointDto {
  const { sequence, lines, merkleRoot, lastHash, at, keyId, signature } = checkpoint;
  return {
    sequence,
    lines,
    merkleRoot: merkleRoot.toString('hex'),
    lastHash: lastHash.toString('hex'),
    at,
    keyId,
    signature: signature.toString('hex'),
  };
}

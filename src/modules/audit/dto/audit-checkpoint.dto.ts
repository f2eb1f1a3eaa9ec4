import { ApiProperty } from '@nestjs/swagger';

/** A signed summary of the hash chain. */
export class AuditCheckpointDto {
  /** The last line it covers. */
  sequence: number;
  /** How many lines it covers: those since the checkpoint before. */
  lines: number;
  /** Merkle root (RFC 6962) over the hashes of those lines, hex. */
  merkleRoot: string;
  /** `hash` of the last line, hex. */
  lastHash: string;
  /** When it was made, RFC 3339, UTC, microseconds. */
  @ApiProperty({ format: 'date-time' })
  at: string;
  /** Names the public key. */
  keyId: string;
  /** Ed25519 over the canonical JSON (RFC 8785) of `v` (1), `sequence`, `lines`, `merkleRoot`, `lastHash` and `at`, hex. */
  signature: string;
}

/** A page of checkpoints, newest first. */
export class AuditCheckpointPageDto {
  data: AuditCheckpointDto[];
  /** Ask for the next page with it; null on the last. */
  nextCursor: string | null;
}

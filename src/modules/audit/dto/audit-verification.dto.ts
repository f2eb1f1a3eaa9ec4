import { ApiProperty } from '@nestjs/swagger';

/** The first line of the log that does not hold. */
export class BadAuditLineDto {
  /** Its place in the chain. */
  sequence: number;
  /** For a human: what does not hold. */
  reason: string;
}

/** What a check of the whole audit log found. */
export class AuditVerificationDto {
  /** Every line and every checkpoint holds. */
  ok: boolean;
  /** Sealed lines that hold, from the first on without interruption. */
  lines: number;
  /** Lines not yet in the chain. */
  unsealed: number;
  /** The last line that holds, 0 if there is none. */
  lastSequence: number;
  /** Its hash, hex: written down elsewhere, it proves later that nothing up to it has changed. */
  lastHash: string | null;
  /** Checkpoints that hold. */
  checkpoints: number;
  firstBadLine: BadAuditLineDto | null;
  /** When the check began, RFC 3339, UTC: the database's time. */
  @ApiProperty({ format: 'date-time' })
  checkedAt: string;
}

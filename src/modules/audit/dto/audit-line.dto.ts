import { ApiProperty } from '@nestjs/swagger';

/** One line of the audit log. */
export class AuditLineDto {
  /** Grows with the time of writing. */
  id: string;
  /** Place in the hash chain, from 1 without gaps; null during the second or so until the line is sealed. */
  sequence: number | null;
  /** When it happened, RFC 3339, UTC, microseconds. */
  @ApiProperty({ format: 'date-time' })
  at: string;
  /** Who did it, for example `api-key:0195b6b0-…`, `cli:alice`, `webhook:stripe` or `system`. */
  actor: string;
  /** What was done, for example `webhook.received` or `api_key.created`. */
  action: string;
  /** What it was done to. */
  subject: string | null;
  /** The request that caused it: the `X-Request-Id` of its answer. */
  requestId: string | null;
  /** The caller's address. */
  ip: string | null;
  /** Facts about it; secrets are redacted. */
  details: Record<string, unknown>;
  /** `hash` of the line before, hex. */
  prevHash: string | null;
  /** SHA-256 over `prevHash` and the line, hex. */
  hash: string | null;
}

/** A page of audit lines, newest first. */
export class AuditPageDto {
  data: AuditLineDto[];
  /** Ask for the next page with it; null on the last. */
  nextCursor: string | null;
}

import { ApiProperty } from '@nestjs/swagger';

export class ReplaysFromDto {
  /** The memory of the process that was asked. */
  memory: number;
  redis: number;
  database: number;
}

/** Of all routes and callers. Counts of requests go back to the installation, over all processes and restarts. */
export class IdempotencyStatisticsDto {
  /** Keys stored now. From 100,000 on an estimate. */
  total: number;

  /** Of those, not expired: a request with one of them is a repeat, or in progress. */
  active: number;

  /** Of those, expired and not yet removed, which takes seconds; counted up to 100,000. */
  expired: number;

  /** Whether `total` and `active` are estimates. */
  estimated: boolean;

  /** Requests with a key that were carried out. */
  executed: number;

  /** Requests that were answered with an earlier answer. */
  replays: number;

  /** Where that answer was found. */
  replaysFrom: ReplaysFromDto;

  /** Requests refused because the first one with the key was in progress: 409 IDEMPOTENCY_KEY_IN_USE. */
  conflicts: number;

  /** Requests refused because their key belongs to another request: 422 IDEMPOTENCY_KEY_REUSED. */
  reused: number;

  /** Of `executed`, those that went on where an earlier attempt had ended without an answer. */
  takeovers: number;

  /** `replays` of all that were answered, from 0 to 1. */
  @ApiProperty({ format: 'double' })
  hitRate: number;
}

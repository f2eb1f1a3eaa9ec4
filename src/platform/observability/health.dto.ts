export class LivenessDto {
  status: 'live';
}

/** `up`, `down`, or `off` where it is not configured. */
export type CheckState = 'up' | 'down' | 'off';

export class ReadinessChecksDto {
  database: CheckState;
  /** Down does not make the server unready: it goes on without Redis, slower. */
  redis: CheckState;
  /** `pending` while the schema is older than this program. */
  migrations: 'done' | 'pending' | 'unknown';
}

export class ReadinessDto {
  status: 'ready' | 'unavailable';
  checks: ReadinessChecksDto;
}

/** The tables `effect-server.ts` writes to; a test creates them in its own database. */
export const EFFECT_SCHEMA = `
  CREATE TABLE effects (
    n bigint GENERATED ALWAYS AS IDENTITY,
    event_id text NOT NULL,
    attempt integer NOT NULL,
    value text,
    stale boolean NOT NULL,
    pid integer NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
  );
  CREATE TABLE counters (name text PRIMARY KEY, value integer NOT NULL);
  INSERT INTO counters VALUES ('total', 0)`;

export interface EffectRow {
  n: string;
  event_id: string;
  attempt: number;
  value: string | null;
  stale: boolean;
  pid: number;
  at: Date;
}

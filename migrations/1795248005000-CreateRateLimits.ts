import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Other limits for single subjects, and what is used of limits where there is no Redis to count it in. */
export class CreateRateLimits1795248005000 implements MigrationInterface {
  readonly name = 'CreateRateLimits1795248005000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE rate_limit_overrides (
        subject text NOT NULL,
        rule text NOT NULL,
        "limit" integer,
        shadow boolean,
        until timestamptz,
        set_by text NOT NULL,
        set_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT rate_limit_overrides_limit_check CHECK ("limit" >= 0),
        CONSTRAINT rate_limit_overrides_something_check CHECK ("limit" IS NOT NULL OR shadow IS NOT NULL),
        CONSTRAINT rate_limit_overrides_pkey PRIMARY KEY (subject, rule)
      )
    `);
    // A counter is written by every request and worth nothing after a crash; half-empty pages keep its updates HOT.
    await runner.query(`
      CREATE UNLOGGED TABLE rate_limit_counters (
        subject text NOT NULL,
        state jsonb NOT NULL,
        readings double precision[] NOT NULL,
        over_at timestamptz NOT NULL,
        CONSTRAINT rate_limit_counters_pkey PRIMARY KEY (subject)
      ) WITH (fillfactor = 50)
    `);
    await runner.query(`
      CREATE INDEX rate_limit_counters_over_at_idx ON rate_limit_counters (over_at)
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE rate_limit_counters`);
    await runner.query(`DROP TABLE rate_limit_overrides`);
  }
}

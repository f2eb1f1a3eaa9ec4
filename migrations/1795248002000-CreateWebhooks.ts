import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Webhooks in: sources and their secrets, events, attempts, conflicts, bulk replays. */
export class CreateWebhooks1795248002000 implements MigrationInterface {
  readonly name = 'CreateWebhooks1795248002000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE webhook_sources (
        name text NOT NULL,
        provider text NOT NULL,
        tolerance_seconds integer NOT NULL DEFAULT 300,
        allowed_ips text[] NOT NULL DEFAULT '{}',
        rate_limit_per_minute integer,
        processing text NOT NULL DEFAULT 'async',
        ordering text NOT NULL DEFAULT 'none',
        max_retries integer,
        scheme jsonb,
        origin text NOT NULL DEFAULT 'api',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT webhook_sources_ordering_check CHECK (ordering IN ('none', 'entity')),
        CONSTRAINT webhook_sources_processing_check CHECK (processing IN ('async', 'inline')),
        CONSTRAINT webhook_sources_pkey PRIMARY KEY (name)
      )
    `);
    await runner.query(`
      CREATE TABLE webhook_source_secrets (
        id uuid NOT NULL,
        source text NOT NULL,
        sealed bytea NOT NULL,
        origin text NOT NULL DEFAULT 'api',
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz,
        CONSTRAINT webhook_source_secrets_pkey PRIMARY KEY (id)
      )
    `);
    await runner.query(`
      CREATE INDEX webhook_source_secrets_source_idx ON webhook_source_secrets (source)
    `);
    await runner.query(`
      CREATE TABLE webhook_events (
        id uuid NOT NULL,
        source text NOT NULL,
        provider text NOT NULL,
        idempotency_key text NOT NULL,
        event_id text NOT NULL,
        event_type text NOT NULL,
        status text NOT NULL,
        processed boolean NOT NULL DEFAULT false,
        processed_at timestamptz,
        processing_time_ms integer,
        error_message text,
        retry_count integer NOT NULL DEFAULT 0,
        max_retries integer NOT NULL DEFAULT 3,
        attempts integer NOT NULL DEFAULT 0,
        raw_payload jsonb,
        raw_body bytea NOT NULL,
        metadata jsonb NOT NULL,
        payload_hash text NOT NULL,
        ordering_key text,
        occurred_at timestamptz,
        ip_address inet,
        user_agent text,
        secret_id uuid,
        next_attempt_at timestamptz,
        claim_id uuid,
        claimed_by text,
        claimed_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT webhook_events_claim_check CHECK ((claim_id IS NOT NULL) = (status = 'PROCESSING')),
        CONSTRAINT webhook_events_due_check CHECK ((next_attempt_at IS NOT NULL) = (status IN ('PENDING', 'PROCESSING', 'FAILED'))),
        CONSTRAINT webhook_events_processed_check CHECK (processed = (status = 'PROCESSED')),
        CONSTRAINT webhook_events_status_check CHECK (status IN ('PENDING', 'PROCESSING', 'PROCESSED', 'FAILED', 'DEAD_LETTER', 'IGNORED')),
        CONSTRAINT webhook_events_pkey PRIMARY KEY (id)
      )
    `);
    // Ordinary events (bytes, jsonb and headers together a few KB) stay in their row as they are: compressing each one and
    // moving it to the TOAST table cost more than the insert itself.
    await runner.query(`
      ALTER TABLE webhook_events SET (toast_tuple_target = 8160)
    `);
    await runner.query(`
      CREATE INDEX webhook_events_ordering_done_idx ON webhook_events (source, ordering_key, occurred_at) WHERE ordering_key IS NOT NULL AND status = 'PROCESSED'
    `);
    await runner.query(`
      CREATE UNIQUE INDEX webhook_events_ordering_running_key ON webhook_events (source, ordering_key) WHERE ordering_key IS NOT NULL AND status = 'PROCESSING'
    `);
    await runner.query(`
      CREATE INDEX webhook_events_ordering_idx ON webhook_events (source, ordering_key, id) WHERE ordering_key IS NOT NULL AND next_attempt_at IS NOT NULL
    `);
    await runner.query(`
      CREATE INDEX webhook_events_due_idx ON webhook_events (next_attempt_at) WHERE next_attempt_at IS NOT NULL
    `);
    await runner.query(`
      CREATE INDEX webhook_events_created_at_idx ON webhook_events (created_at)
    `);
    await runner.query(`
      CREATE INDEX webhook_events_status_idx ON webhook_events (status, id)
    `);
    await runner.query(`
      CREATE INDEX webhook_events_event_type_idx ON webhook_events (event_type, id)
    `);
    await runner.query(`
      CREATE INDEX webhook_events_idempotency_key_idx ON webhook_events (idempotency_key, source)
    `);
    await runner.query(`
      CREATE UNIQUE INDEX webhook_events_event_id_source_key ON webhook_events (event_id, source)
    `);
    await runner.query(`
      CREATE TABLE webhook_attempts (
        event uuid NOT NULL,
        attempt integer NOT NULL,
        outcome text NOT NULL,
        error text,
        started_at timestamptz NOT NULL,
        duration_ms integer NOT NULL,
        worker text NOT NULL,
        CONSTRAINT webhook_attempts_outcome_check CHECK (outcome IN ('processed', 'ignored', 'failed', 'timed_out', 'abandoned')),
        CONSTRAINT webhook_attempts_pkey PRIMARY KEY (event, attempt)
      )
    `);
    await runner.query(`
      CREATE TABLE webhook_event_conflicts (
        id uuid NOT NULL,
        event uuid NOT NULL,
        payload_hash text NOT NULL,
        raw_body bytea NOT NULL,
        metadata jsonb NOT NULL,
        ip_address inet,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT webhook_event_conflicts_pkey PRIMARY KEY (id)
      )
    `);
    await runner.query(`
      CREATE UNIQUE INDEX webhook_event_conflicts_event_payload_hash_key ON webhook_event_conflicts (event, payload_hash)
    `);
    await runner.query(`
      CREATE TABLE webhook_replay_jobs (
        id uuid NOT NULL,
        filter jsonb NOT NULL,
        dry_run boolean NOT NULL,
        rate_per_second integer NOT NULL,
        status text NOT NULL,
        total integer NOT NULL,
        replayed integer NOT NULL DEFAULT 0,
        examined integer NOT NULL DEFAULT 0,
        last_event_id uuid,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        CONSTRAINT webhook_replay_jobs_status_check CHECK (status IN ('QUEUED', 'RUNNING', 'COMPLETED', 'CANCELED')),
        CONSTRAINT webhook_replay_jobs_pkey PRIMARY KEY (id)
      )
    `);
    await runner.query(`
      CREATE INDEX webhook_replay_jobs_unfinished_idx ON webhook_replay_jobs (created_at) WHERE status IN ('QUEUED', 'RUNNING')
    `);
    await runner.query(`
      ALTER TABLE webhook_event_conflicts ADD CONSTRAINT webhook_event_conflicts_event_fkey FOREIGN KEY (event) REFERENCES webhook_events(id) ON DELETE CASCADE
    `);
    await runner.query(`
      ALTER TABLE webhook_source_secrets ADD CONSTRAINT webhook_source_secrets_source_fkey FOREIGN KEY (source) REFERENCES webhook_sources(name) ON DELETE CASCADE
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE webhook_replay_jobs`);
    await runner.query(`DROP TABLE webhook_event_conflicts`);
    await runner.query(`DROP TABLE webhook_attempts`);
    await runner.query(`DROP TABLE webhook_events`);
    await runner.query(`DROP TABLE webhook_source_secrets`);
    await runner.query(`DROP TABLE webhook_sources`);
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The append-only, hash-chained record, and the triggers that keep it so. */
export class CreateAuditLog1795248000000 implements MigrationInterface {
  readonly name = 'CreateAuditLog1795248000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit_log (
        id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
        sequence bigint,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        actor text NOT NULL,
        action text NOT NULL,
        subject text,
        request_id text,
        ip text,
        details jsonb NOT NULL DEFAULT '{}',
        prev_hash bytea,
        hash bytea,
        CONSTRAINT audit_log_seal_check CHECK ((sequence IS NULL) = (hash IS NULL) AND (prev_hash IS NULL) = (hash IS NULL)),
        CONSTRAINT audit_log_pkey PRIMARY KEY (id)
      )
    `);
    await runner.query(`
      CREATE INDEX audit_log_subject_idx ON audit_log (subject, id) WHERE sequence IS NOT NULL
    `);
    await runner.query(`
      CREATE INDEX audit_log_action_idx ON audit_log (action, id) WHERE sequence IS NOT NULL
    `);
    await runner.query(`
      CREATE INDEX audit_log_actor_idx ON audit_log (actor, id) WHERE sequence IS NOT NULL
    `);
    await runner.query(`
      CREATE UNIQUE INDEX audit_log_sequence_key ON audit_log (sequence) WHERE sequence IS NOT NULL
    `);
    await runner.query(`
      CREATE INDEX audit_log_unsealed_idx ON audit_log (id) WHERE hash IS NULL
    `);
    await runner.query(`
      CREATE TABLE audit_checkpoints (
        sequence bigint NOT NULL,
        lines bigint NOT NULL,
        merkle_root bytea NOT NULL,
        last_hash bytea NOT NULL,
        at timestamptz NOT NULL,
        key_id text NOT NULL,
        signature bytea NOT NULL,
        CONSTRAINT audit_checkpoints_pkey PRIMARY KEY (sequence)
      )
    `);
    await runner.query(`
      -- Every line is updated once, when it is sealed, so the table makes as many dead rows as lines; the default of 20 %
      -- would let millions of them gather in audit_log_unsealed_idx, which is read every second.
      ALTER TABLE audit_log SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000)
    `);
    await runner.query(`
      CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
      END
      $$
    `);
    await runner.query(`
      -- A line is born unsealed: only the sealer gives it a place in the chain.
      CREATE TRIGGER audit_log_refuse_insert BEFORE INSERT ON audit_log FOR EACH ROW
        WHEN (NEW.sequence IS NOT NULL OR NEW.prev_hash IS NOT NULL OR NEW.hash IS NOT NULL)
        EXECUTE FUNCTION audit_refuse_change()
    `);
    await runner.query(`
      -- The one UPDATE that passes seals an unsealed line and changes nothing else. The condition stands here, not in the
      -- function, because PostgreSQL then calls no function for the lines that pass.
      CREATE TRIGGER audit_log_refuse_update BEFORE UPDATE ON audit_log FOR EACH ROW
        WHEN (NOT (
          OLD.hash IS NULL AND NEW.hash IS NOT NULL AND NEW.prev_hash IS NOT NULL AND NEW.sequence IS NOT NULL
          AND ROW (NEW.id, NEW.at, NEW.actor, NEW.action, NEW.subject, NEW.request_id, NEW.ip, NEW.details)
              IS NOT DISTINCT FROM
              ROW (OLD.id, OLD.at, OLD.actor, OLD.action, OLD.subject, OLD.request_id, OLD.ip, OLD.details)
        ))
        EXECUTE FUNCTION audit_refuse_change()
    `);
    await runner.query(`
      CREATE TRIGGER audit_log_refuse_delete BEFORE DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()
    `);
    await runner.query(`
      CREATE TRIGGER audit_log_refuse_truncate BEFORE TRUNCATE ON audit_log EXECUTE FUNCTION audit_refuse_change()
    `);
    await runner.query(`
      CREATE TRIGGER audit_checkpoints_refuse_change BEFORE UPDATE OR DELETE ON audit_checkpoints
        FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()
    `);
    await runner.query(`
      CREATE TRIGGER audit_checkpoints_refuse_truncate BEFORE TRUNCATE ON audit_checkpoints EXECUTE FUNCTION audit_refuse_change()
    `);
    await runner.query(`
      -- ALWAYS: also when a session sets session_replication_role to replica.
      ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_refuse_insert
    `);
    await runner.query(`
      ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_refuse_update
    `);
    await runner.query(`
      ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_refuse_delete
    `);
    await runner.query(`
      ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_refuse_truncate
    `);
    await runner.query(`
      ALTER TABLE audit_checkpoints ENABLE ALWAYS TRIGGER audit_checkpoints_refuse_change
    `);
    await runner.query(`
      ALTER TABLE audit_checkpoints ENABLE ALWAYS TRIGGER audit_checkpoints_refuse_truncate
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE audit_checkpoints`);
    await runner.query(`DROP TABLE audit_log`);
    await runner.query(`DROP FUNCTION audit_refuse_change()`);
  }
}

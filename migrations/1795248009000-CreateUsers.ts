import type { MigrationInterface, QueryRunner } from 'typeorm';

/** End users and staff, their sessions, who wants to become one, and the tokens that reach them by mail. */
export class CreateUsers1795248009000 implements MigrationInterface {
  readonly name = 'CreateUsers1795248009000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE users (
        id uuid NOT NULL,
        email text NOT NULL,
        password_hash text,
        role text NOT NULL DEFAULT 'user',
        subscription text NOT NULL DEFAULT 'free',
        email_verified_at timestamptz NOT NULL DEFAULT now(),
        password_changed_at timestamptz NOT NULL DEFAULT now(),
        reset_from_network text,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT users_role_check CHECK (role IN ('user', 'operator', 'admin')),
        CONSTRAINT users_subscription_check
          CHECK (subscription IN ('free', 'starter', 'pro', 'business', 'enterprise')),
        CONSTRAINT users_pkey PRIMARY KEY (id)
      )
    `);
    await runner.query(`CREATE UNIQUE INDEX users_email_key ON users (email)`);
    await runner.query(`
      CREATE TABLE sessions (
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        network text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        last_used_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        CONSTRAINT sessions_pkey PRIMARY KEY (id),
        CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )
    `);
    await runner.query(`CREATE INDEX sessions_user_id_network_idx ON sessions (user_id, network)`);
    await runner.query(`CREATE INDEX sessions_expires_at_idx ON sessions (expires_at)`);
    await runner.query(`
      CREATE TABLE refresh_tokens (
        token_hash bytea NOT NULL,
        session_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        used_at timestamptz,
        CONSTRAINT refresh_tokens_token_hash_check CHECK (octet_length(token_hash) = 32),
        CONSTRAINT refresh_tokens_pkey PRIMARY KEY (token_hash),
        CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE
      )
    `);
    await runner.query(`CREATE INDEX refresh_tokens_session_id_idx ON refresh_tokens (session_id)`);
    await runner.query(`
      CREATE TABLE registrations (
        token_hash bytea NOT NULL,
        email text NOT NULL,
        password_hash text,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        CONSTRAINT registrations_token_hash_check CHECK (octet_length(token_hash) = 32),
        CONSTRAINT registrations_pkey PRIMARY KEY (token_hash)
      )
    `);
    await runner.query(`CREATE INDEX registrations_email_idx ON registrations (email)`);
    await runner.query(`CREATE INDEX registrations_created_at_idx ON registrations (created_at)`);
    await runner.query(`
      CREATE TABLE password_reset_tokens (
        token_hash bytea NOT NULL,
        user_id uuid NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT password_reset_tokens_token_hash_check CHECK (octet_length(token_hash) = 32),
        CONSTRAINT password_reset_tokens_pkey PRIMARY KEY (token_hash),
        CONSTRAINT password_reset_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )
    `);
    await runner.query(`CREATE INDEX password_reset_tokens_user_id_idx ON password_reset_tokens (user_id)`);
    await runner.query(`CREATE INDEX password_reset_tokens_expires_at_idx ON password_reset_tokens (expires_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE password_reset_tokens`);
    await runner.query(`DROP TABLE registrations`);
    await runner.query(`DROP TABLE refresh_tokens`);
    await runner.query(`DROP TABLE sessions`);
    await runner.query(`DROP TABLE users`);
  }
}

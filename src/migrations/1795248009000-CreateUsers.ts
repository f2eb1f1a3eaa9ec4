import type { MigrationInterface, QueryRunner } from 'typeorm';

/** End users and staff, their sessions, and the tokens that reach them by mail. */
export class CreateUsers1795248009000 implements MigrationInterface {
  readonly name = 'CreateUsers1795248009000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE users (
        id uuid NOT NULL,
        email text NOT NULL,
        password_hash text NOT NULL,
        role text NOT NULL DEFAULT 'user',
        subscription text NOT NULL DEFAULT 'free',
        email_verified_at timestamptz,
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
      CREATE INDEX users_unverified_idx ON users (password_changed_at) WHERE email_verified_at IS NULL
    `);
    await runner.query(`
      CREATE TABLE sessions (
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        network text NOT NULL,
        user_agent text,
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
      CREATE TABLE mail_tokens (
        token_hash bytea NOT NULL,
        user_id uuid NOT NULL,
        purpose text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        CONSTRAINT mail_tokens_token_hash_check CHECK (octet_length(token_hash) = 32),
        CONSTRAINT mail_tokens_purpose_check CHECK (purpose IN ('verify-email', 'reset-password')),
        CONSTRAINT mail_tokens_pkey PRIMARY KEY (token_hash),
        CONSTRAINT mail_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )
    `);
    await runner.query(`CREATE INDEX mail_tokens_user_id_idx ON mail_tokens (user_id)`);
    await runner.query(`CREATE INDEX mail_tokens_expires_at_idx ON mail_tokens (expires_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE mail_tokens`);
    await runner.query(`DROP TABLE refresh_tokens`);
    await runner.query(`DROP TABLE sessions`);
    await runner.query(`DROP TABLE users`);
  }
}

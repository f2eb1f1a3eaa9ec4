import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Repository } from 'typeorm';
import { type Origin, WebhookSource } from './webhook-source.entity.js';
import { WebhookSourceSecret } from './webhook-source-secret.entity.js';

export interface SecretRow {
  id: string;
  sealed: Buffer;
  origin: WebhookSourceSecret['origin'];
  createdAt: Date;
  expiresAt: Date | null;
}

/** A source with the secrets it accepts now, newest first. */
export type SourceRow = WebhookSource & { secrets: SecretRow[] };

/** Sources with their secrets in one snapshot. Index: webhook_sources_pkey, webhook_source_secrets_source_idx. */
const FIND = `
  SELECT
    s.name, s.provider, s.tolerance_seconds AS "toleranceSeconds", s.allowed_ips AS "allowedIps",
    s.rate_limit_per_minute AS "rateLimitPerMinute", s.processing, s.ordering, s.max_retries AS "maxRetries",
    s.body_limit_bytes AS "bodyLimitBytes", s.scheme, s.type_header AS "typeHeader", s.type_path AS "typePath", s.origin,
    s.created_at AS "createdAt", s.updated_at AS "updatedAt",
    secret.id AS "secretId", secret.sealed AS "secretSealed", secret.origin AS "secretOrigin",
    secret.created_at AS "secretCreatedAt", secret.expires_at AS "secretExpiresAt"
  FROM webhook_sources AS s
  LEFT JOIN webhook_source_secrets AS secret
    ON secret.source = s.name AND (secret.expires_at IS NULL OR secret.expires_at > now())
  WHERE $1::text IS NULL OR s.name = $1
  ORDER BY s.name, secret.created_at DESC, secret.id DESC`;

/** Index: webhook_source_secrets_source_idx. Expired ones too: they say what must not come back. */
const FIND_ENVIRONMENT_SECRETS = `
  SELECT id, sealed, origin, created_at AS "createdAt", expires_at AS "expiresAt", expires_at <= now() AS expired
  FROM webhook_source_secrets
  WHERE source = $1 AND origin = 'environment'`;

/** Older secrets are accepted a while longer, never longer than they would have been. */
const EXPIRE_SECRETS_BUT = `
  UPDATE webhook_source_secrets
  SET expires_at = least(expires_at, now() + $2 * interval '1 second')
  WHERE source = $1 AND id <> $3`;

/** Index: webhook_source_secrets_pkey. */
const EXPIRE_SECRETS = `UPDATE webhook_source_secrets SET expires_at = least(expires_at, now()) WHERE id = ANY ($1::uuid[])`;

/** One row a secret; a source that accepts none has one row with nulls. */
type JoinedRow = WebhookSource & {
  secretId: string | null;
  secretSealed: Buffer;
  secretOrigin: Origin;
  secretCreatedAt: Date;
  secretExpiresAt: Date | null;
};

/** Sources and their secrets. */
@Injectable()
export class SourcesRepository {
  constructor(
    @InjectRepository(WebhookSource) private readonly sources: Repository<WebhookSource>,
    @InjectRepository(WebhookSourceSecret) private readonly secrets: Repository<WebhookSourceSecret>,
  ) {}

  findAll(): Promise<SourceRow[]> {
    return this.read(null);
  }

  async find(name: string, by?: EntityManager): Promise<SourceRow | undefined> {
    const [source] = await this.read(name, by);
    return source;
  }

  /** Locks the row, so that two changes of one source follow each other. */
  lock(tx: EntityManager, name: string): Promise<WebhookSource | null> {
    return tx.withRepository(this.sources).findOne({ where: { name }, lock: { mode: 'pessimistic_write' } });
  }

  /** @returns false when the name is taken */
  async insert(tx: EntityManager, source: Omit<WebhookSource, 'createdAt' | 'updatedAt'>): Promise<boolean> {
    const result = await tx
      .withRepository(this.sources)
      .createQueryBuilder()
      .insert()
      .values(source)
      .orIgnore()
      .execute();
    return (result.raw as unknown[]).length > 0;
  }

  async update(tx: EntityManager, name: string, changes: Partial<WebhookSource>): Promise<void> {
    await tx.withRepository(this.sources).update({ name }, { ...changes, updatedAt: () => 'now()' });
  }

  async remove(tx: EntityManager, name: string): Promise<void> {
    await tx.withRepository(this.sources).delete({ name });
  }

  async insertSecret(tx: EntityManager, secret: Pick<WebhookSourceSecret, 'id' | 'source' | 'sealed' | 'origin'>) {
    await tx.withRepository(this.secrets).insert(secret);
  }

  environmentSecrets(tx: EntityManager, source: string): Promise<(SecretRow & { expired: boolean | null })[]> {
    return tx.query(FIND_ENVIRONMENT_SECRETS, [source]);
  }

  /** Every other secret of the source expires after the overlap. */
  async expireSecretsBut(tx: EntityManager, source: string, kept: string, overlapSeconds: number): Promise<void> {
    await tx.query(EXPIRE_SECRETS_BUT, [source, overlapSeconds, kept]);
  }

  /** At once. */
  async expireSecrets(tx: EntityManager, ids: readonly string[]): Promise<void> {
    await tx.query(EXPIRE_SECRETS, [ids]);
  }

  private async read(name: string | null, by: EntityManager = this.sources.manager): Promise<SourceRow[]> {
    const rows = await by.query<JoinedRow[]>(FIND, [name]);
    const sources = new Map<string, SourceRow>();
    for (const { secretId, secretSealed, secretOrigin, secretCreatedAt, secretExpiresAt, ...source } of rows) {
      const found = sources.get(source.name) ?? { ...source, secrets: [] };
      sources.set(source.name, found);
      if (secretId === null) continue;
      found.secrets.push({
        id: secretId,
        sealed: secretSealed,
        origin: secretOrigin,
        createdAt: secretCreatedAt,
        expiresAt: secretExpiresAt,
      });
    }
    return [...sources.values()];
  }
}

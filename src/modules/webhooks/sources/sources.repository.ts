import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
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

/** Index: webhook_sources_pkey, webhook_source_secrets_source_idx. */
const FIND_SECRETS = `
  SELECT id, source, sealed, origin, created_at AS "createdAt", expires_at AS "expiresAt"
  FROM webhook_source_secrets
  WHERE expires_at IS NULL OR expires_at > now()
  ORDER BY created_at DESC, id DESC`;

/** Index: webhook_source_secrets_source_idx. Expired ones too: they say what must not come back. */
const FIND_ENVIRONMENT_SECRETS = `
  SELECT id, sealed, origin, created_at AS "createdAt", expires_at AS "expiresAt", expires_at <= now() AS expired
  FROM webhook_source_secrets
  WHERE source = $1 AND origin = 'environment'`;

/** Older secrets are accepted a while longer, never longer than they would have been. */
const EXPIRE_SECRETS = `
  UPDATE webhook_source_secrets
  SET expires_at = least(expires_at, now() + $2 * interval '1 second')
  WHERE source = $1 AND id <> $3 AND ($4::text IS NULL OR origin = $4)`;

/** Sources and their secrets. */
@Injectable()
export class SourcesRepository {
  constructor(private readonly dataSource: DataSource) {}

  async findAll(manager: EntityManager = this.dataSource.manager): Promise<SourceRow[]> {
    const [sources, secrets] = await Promise.all([
      manager.find(WebhookSource, { order: { name: 'ASC' } }),
      manager.query<(SecretRow & { source: string })[]>(FIND_SECRETS),
    ]);
    return sources.map((source) => ({ ...source, secrets: secrets.filter((secret) => secret.source === source.name) }));
  }

  async find(name: string): Promise<SourceRow | undefined> {
    return (await this.findAll()).find((source) => source.name === name);
  }

  /** Locks the row, so that two changes of one source follow each other. */
  lock(tx: EntityManager, name: string): Promise<WebhookSource | null> {
    return tx.findOne(WebhookSource, { where: { name }, lock: { mode: 'pessimistic_write' } });
  }

  /** @returns false when the name is taken */
  async insert(tx: EntityManager, source: Omit<WebhookSource, 'createdAt' | 'updatedAt'>): Promise<boolean> {
    const result = await tx.createQueryBuilder().insert().into(WebhookSource).values(source).orIgnore().execute();
    return (result.raw as unknown[]).length > 0;
  }

  async update(tx: EntityManager, name: string, changes: Partial<WebhookSource>): Promise<void> {
    await tx.update(WebhookSource, { name }, { ...changes, updatedAt: () => 'now()' });
  }

  async remove(tx: EntityManager, name: string): Promise<void> {
    await tx.delete(WebhookSource, { name });
  }

  async insertSecret(tx: EntityManager, secret: Pick<WebhookSourceSecret, 'id' | 'source' | 'sealed' | 'origin'>) {
    await tx.insert(WebhookSourceSecret, secret);
  }

  environmentSecrets(tx: EntityManager, source: string): Promise<(SecretRow & { expired: boolean | null })[]> {
    return tx.query(FIND_ENVIRONMENT_SECRETS, [source]);
  }

  /** Every other secret of the source (of that origin, if given) expires after the overlap. */
  async expireSecretsBut(
    tx: EntityManager,
    source: string,
    kept: string,
    overlapSeconds: number,
    origin: Origin | null = null,
  ): Promise<void> {
    await tx.query(EXPIRE_SECRETS, [source, overlapSeconds, kept, origin]);
  }
}

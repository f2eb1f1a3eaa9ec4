import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CONFIG, type Config } from '../../config/index.js';
import { NotFoundError, ValidationError } from '../../kernel/app-error.js';
import { generateApiKey, shownPrefix } from '../../kernel/api-key-format.js';
import { decodeCursor, type Page, pageOf } from '../../kernel/cursor.js';
import { isUuid, newId } from '../../kernel/ids.js';
import {
  ForbiddenError,
  type Principal,
  type RequestContext,
  type Scope,
  scopesMissing,
  UnauthenticatedError,
} from '../../platform/auth/index.js';
import { IdempotentTransactor, type RequestClaim } from '../../platform/idempotency/index.js';
import { READ_COMMITTED } from '../../platform/transaction/index.js';
import { AuditLog } from '../audit/index.js';
import type { ApiKeyLimits } from './api-key.entity.js';
import { type ApiKeyRecord, ApiKeyRepository, type RevokedApiKey } from './api-key.repository.js';
import { ApiKeyVerifier, hashApiKey } from './api-key.verifier.js';

export interface NewApiKey {
  name: string;
  scopes: Scope[];
  expiresAt?: Date | null;
  limits?: ApiKeyLimits | null;
}

/** Who asks for a key: a caller, or an operator at the command line, who may do anything. */
export type KeyMaker = Principal | { readonly kind: 'operator' };

/** What a key has from the key that makes it. */
interface Descent {
  readonly makerId: string | null;
  readonly sharesLimits: boolean;
}

const NO_DESCENT: Descent = { makerId: null, sharesLimits: false };

/** `key` is the only copy there is. */
export type IssuedApiKey = ApiKeyRecord & { key: string };

const CURSOR = { id: 'uuid' } as const;

@Injectable()
export class ApiKeysService {
  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'isProduction'>,
    private readonly transactor: IdempotentTransactor,
    private readonly repository: ApiKeyRepository,
    private readonly verifier: ApiKeyVerifier,
    private readonly audit: AuditLog,
  ) {}

  /**
   * A key made by a key is no more than that key: not in scopes, and it neither outlives it (its `expiresAt` is the
   * earlier of the two, and both are revoked together) nor escapes its limits, in which it is counted with it. An admin,
   * who may give a key any limits, makes keys that count and live for themselves.
   *
   * @throws ForbiddenError (403) for an end user, and when the key would have a scope its maker lacks, or limits of its
   *   own without its maker being an admin
   * @throws UnauthenticatedError (401) when its maker has just been revoked
   * @throws ValidationError (400) when `expiresAt` is not in the future, by the database's clock
   */
  async create(
    input: NewApiKey,
    maker: KeyMaker,
    context: RequestContext,
    claim?: RequestClaim,
  ): Promise<IssuedApiKey> {
    if (maker.kind === 'user') throw new ForbiddenError('API keys are for services; an end user cannot make one.');
    if (maker.kind === 'staff' && !maker.scopes.includes('admin')) {
      throw new ForbiddenError('A key would outlive the role of an operator: only admins make API keys.');
    }
    const held: readonly Scope[] = maker.kind === 'operator' ? ['admin'] : maker.scopes;
    if (maker.kind === 'staff' && input.scopes.includes('admin')) {
      throw new ForbiddenError(
        'An admin key would outlive the role of its maker: make it with an admin key, or with npx holdfast keys create.',
      );
    }
    const excess = scopesMissing(held, input.scopes);
    if (excess.length > 0) {
      throw new ForbiddenError(`A key cannot be given a scope its maker lacks: ${excess.join(', ')}.`, {
        details: { missingScopes: excess },
      });
    }
    if (input.limits && !held.includes('admin')) {
      throw new ForbiddenError('Only an admin gives a key limits of its own; without, it has those of its maker.');
    }
    const descent: Descent =
      maker.kind === 'api-key'
        ? { makerId: maker.id, sharesLimits: !input.limits && !held.includes('admin') }
        : NO_DESCENT;
    return this.transactor.run(claim, (tx) => this.issue(tx, input, context, descent), READ_COMMITTED);
  }

  /** A new random key, in the caller's transaction. @throws UnauthenticatedError, ValidationError like `create` */
  async issue(
    tx: EntityManager,
    input: NewApiKey,
    context: RequestContext,
    descent = NO_DESCENT,
  ): Promise<IssuedApiKey> {
    const key = generateApiKey(this.config.isProduction ? 'live' : 'test');
    const record = await this.register(tx, key, input, context, descent);
    if (!record && descent.makerId !== null && (await this.repository.isRevoked(tx, descent.makerId))) {
      throw new UnauthenticatedError('The credential is not valid: it is unknown, expired or revoked.');
    }
    if (!record) throw ValidationError.of([{ path: 'expiresAt', message: 'expiresAt must be in the future' }]);
    return { ...record, key };
  }

  /** Stores a key that exists already. @returns undefined when it is stored, or expired, already */
  async register(
    tx: EntityManager,
    key: string,
    { name, scopes, expiresAt = null, limits = null }: NewApiKey,
    context: RequestContext,
    { makerId, sharesLimits } = NO_DESCENT,
  ): Promise<ApiKeyRecord | undefined> {
    const record = await this.repository.insert(tx, {
      id: newId(),
      name,
      prefix: shownPrefix(key),
      keyHash: hashApiKey(key),
      scopes,
      createdBy: context.actor,
      expiresAt,
      limits,
      makerId,
      sharesLimits,
    });
    if (!record) return undefined;
    const { id, prefix } = record;
    await this.audit.record(tx, [
      {
        ...context,
        action: 'api_key.created',
        subject: `api-key:${id}`,
        details: { name, prefix, scopes, expiresAt: record.expiresAt?.toISOString() ?? null, limits: record.limits },
      },
    ]);
    return record;
  }

  /**
   * All keys, revoked and expired ones too, newest first.
   *
   * @param cursor `nextCursor` of the page before
   * @throws ValidationError (400) for a cursor of something else
   */
  async list(limit: number, cursor?: string): Promise<Page<ApiKeyRecord>> {
    const before = cursor === undefined ? null : decodeCursor(cursor, CURSOR).id;
    const records = await this.repository.list(limit + 1, before);
    return pageOf(
      records,
      limit,
      ({ id }) => ({ id }),
      (record) => record,
    );
  }

  /** @throws NotFoundError (404), also for text that is no id */
  async find(id: string): Promise<ApiKeyRecord> {
    const record = isUuid(id) ? await this.repository.find(id) : undefined;
    if (!record) throw new NotFoundError('There is no API key with this id.');
    return record;
  }

  /**
   * Revokes the key and the keys that came of it, for good: here at once, on other replicas within a second. Revoking
   * twice is one revocation.
   *
   * @param descendants of an admin key that fell into wrong hands: also the keys that it made, which stay otherwise
   * @throws NotFoundError (404), also for text that is no id
   */
  async revoke(
    id: string,
    context: RequestContext,
    { descendants = false, claim }: { descendants?: boolean; claim?: RequestClaim | undefined } = {},
  ): Promise<void> {
    const asked = await this.find(id);
    const revoked = await this.transactor.run(
      claim,
      (tx) => this.revokeFamily(tx, asked.id, descendants, context),
      READ_COMMITTED,
    );
    for (const { keyHash } of revoked) this.verifier.forget(keyHash);
  }

  private async revokeFamily(
    tx: EntityManager,
    id: string,
    descendants: boolean,
    context: RequestContext,
  ): Promise<RevokedApiKey[]> {
    const keys = await this.repository.revoke(tx, id, descendants);
    await this.audit.record(
      tx,
      keys.map(({ id: keyId, name, prefix }) => ({
        ...context,
        action: 'api_key.revoked',
        subject: `api-key:${keyId}`,
        details: { name, prefix, ...(keyId !== id && { because: `api-key:${id}` }) },
      })),
    );
    return keys;
  }
}

import { Inject, Injectable, Logger } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { CONFIG, type Config } from '../../config/index.js';
import { isApiKey, isMistypedApiKey } from '../../kernel/api-key-format.js';
import { type ApiKeyPrincipal, CredentialVerifier, isScope } from '../../platform/auth/index.js';
import { ApiKeyRepository, type ApiKeyState } from './api-key.repository.js';
import { LastUse } from './last-use.js';
import { type Reading, RecentKeys } from './recent-keys.js';
import { SameLimits } from './same-limits.js';
import { SharedLookups } from '../../kernel/shared-lookups.js';

/**
 * SHA-256, the form in which keys are stored, looked up and compared: what the time of a comparison may tell is of the hash,
 * and leads nowhere near the key.
 */
export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key, 'utf8').digest();
}

@Injectable()
export class ApiKeyVerifier extends CredentialVerifier {
  private readonly logger = new Logger(ApiKeyVerifier.name);
  /** By base64 of the hash, so that no key stays in memory. */
  private readonly recent = new RecentKeys(
    async (hash) => (await this.readAll([hash])).get(hash) ?? null,
    (hash) => this.unknown.get(hash),
  );
  private readonly unknown = new SharedLookups((hashes) => this.readAll(hashes));
  private readonly limits = new SameLimits();
  /** An operator's own key may look like a generated one without being one: it is never called mistyped. */
  private readonly bootstrapKey: Buffer | undefined;

  constructor(
    @Inject(CONFIG) config: Pick<Config, 'BOOTSTRAP_API_KEY'>,
    private readonly repository: ApiKeyRepository,
    private readonly lastUse: LastUse,
  ) {
    super();
    this.bootstrapKey = config.BOOTSTRAP_API_KEY === undefined ? undefined : hashApiKey(config.BOOTSTRAP_API_KEY);
  }

  override async verify(credential: string): Promise<ApiKeyPrincipal | null> {
    if (!isApiKey(credential)) return null;
    const hash = hashApiKey(credential);
    if (isMistypedApiKey(credential) && !this.bootstrapKey?.equals(hash)) return null;
    const principal = await this.recent.get(hash.toString('base64'));
    if (principal) this.lastUse.touch(principal.id);
    return principal;
  }

  /** Takes effect here at once; other replicas read the row again within a second. */
  forget(keyHash: Buffer): void {
    this.recent.forget(keyHash.toString('base64'));
  }

  /** @returns what is known of those that are good */
  private async readAll(hashes: readonly string[]): Promise<ReadonlyMap<string, Reading<ApiKeyPrincipal>>> {
    const good = new Map<string, Reading<ApiKeyPrincipal>>();
    for (const state of await this.repository.findStates(hashes.map((hash) => Buffer.from(hash, 'base64')))) {
      if (state.revoked || state.expired) {
        this.logger.log({
          msg: `An API key was used that is ${state.revoked ? 'revoked' : 'expired'}`,
          apiKeyId: state.id,
          prefix: state.prefix,
        });
        continue;
      }
      const reading = { key: toPrincipal(state, this.limits), holdsForMs: state.msUntilExpiry ?? Infinity };
      good.set(state.keyHash.toString('base64'), reading);
    }
    return good;
  }
}

function toPrincipal({ id, name, scopes, limits, sharesLimitsOf }: ApiKeyState, same: SameLimits): ApiKeyPrincipal {
  const actor = `api-key:${id}`;
  return Object.freeze({
    kind: 'api-key',
    id,
    name,
    // A scope this version does not know grants nothing.
    scopes: scopes.filter(isScope),
    limits: same.of(limits),
    actor,
    limitedAs: sharesLimitsOf === null ? actor : `api-key:${sharesLimitsOf}`,
  });
}

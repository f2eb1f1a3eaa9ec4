import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { CredentialVerifier, type Scope, type UserPrincipal } from '../../platform/auth/index.js';
import { DatabaseClock } from '../../platform/clock/index.js';
import { AccessTokens } from './access-token.js';

/** What an end user may do, on its own accounts, payments and forms. */
export const USER_SCOPES: readonly Scope[] = Object.freeze([
  'wallet:read',
  'wallet:write',
  'payments:read',
  'payments:write',
  'forms:read',
  'forms:write',
] as const);

const MAX_REMEMBERED = 10_000;

interface Remembered {
  readonly principal: UserPrincipal;
  /** Unix milliseconds of the database's clock. */
  readonly expiresAt: number;
}

/**
 * Knows end users by their access tokens. A token that proved genuine stays so until it expires, so it is remembered by
 * its hash until then, and a busy user costs one look into a map instead of a signature a request. Refusals are not
 * remembered: nobody can fill the memory with made-up tokens.
 */
@Injectable()
export class AccessTokenVerifier extends CredentialVerifier {
  /** By base64 of the SHA-256, so that no token stays in memory. Oldest first. */
  private readonly remembered = new Map<string, Remembered>();

  constructor(
    private readonly tokens: AccessTokens,
    private readonly clock: DatabaseClock,
  ) {
    super();
  }

  override verify(credential: string): Promise<UserPrincipal | null> {
    const hash = createHash('sha256').update(credential).digest('base64');
    const known = this.remembered.get(hash);
    if (known === undefined) return this.read(credential, hash);
    if (known.expiresAt > this.clock.now()) return Promise.resolve(known.principal);
    this.remembered.delete(hash);
    return Promise.resolve(null);
  }

  /** A signature is checked here, without asking anybody. */
  override recall(credential: string): Promise<UserPrincipal | null> {
    return this.verify(credential);
  }

  private async read(credential: string, hash: string): Promise<UserPrincipal | null> {
    const token = await this.tokens.read(credential);
    if (!token) return null;
    const { userId, expiresAt } = token;
    const principal: UserPrincipal = Object.freeze({
      kind: 'user',
      id: userId,
      scopes: USER_SCOPES,
      actor: `user:${userId}`,
    });
    if (this.remembered.size >= MAX_REMEMBERED) this.forgetOldest();
    this.remembered.set(hash, { principal, expiresAt });
    return principal;
  }

  private forgetOldest(): void {
    for (const hash of this.remembered.keys()) {
      this.remembered.delete(hash);
      return;
    }
  }
}

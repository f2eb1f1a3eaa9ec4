import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { CredentialVerifier, type StaffPrincipal, type UserPrincipal } from '../../../platform/auth/index.js';
import { DatabaseClock } from '../../../platform/clock/index.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';
import { SCOPES_OF, type StaffRole } from '../users/role.js';
import { type AccessToken, AccessTokens } from './access-tokens.js';

const MAX_REMEMBERED = 10_000;

/** Whom a token that proved genuine stands for. */
type Bearer = { readonly user: UserPrincipal } | { readonly staffId: string; readonly sessionId: string };

interface Remembered {
  readonly bearer: Bearer;
  /** Unix milliseconds of the database's clock. */
  readonly expiresAt: number;
}

/**
 * Knows people by their access tokens. A token that proved genuine stays so until it expires, so it is remembered by its
 * hash until then, and a busy user costs one look into a map instead of a signature a request. Refusals are not
 * remembered: nobody can fill the memory with made-up tokens, and nobody is asked about one.
 *
 * What an operator or admin may do is asked of the database each time: a role that was taken away, a password that was
 * reset or a session that was ended counts from the next request on.
 */
@Injectable()
export class AccessTokenVerifier extends CredentialVerifier {
  /** By base64 of the SHA-256, so that no token stays in memory. Oldest first. */
  private readonly remembered = new Map<string, Remembered>();

  constructor(
    private readonly tokens: AccessTokens,
    private readonly sessions: SessionsRepository,
    private readonly clock: DatabaseClock,
  ) {
    super();
  }

  override async verify(credential: string): Promise<UserPrincipal | StaffPrincipal | null> {
    const hash = createHash('sha256').update(credential).digest('base64');
    const known = this.remembered.get(hash) ?? (await this.read(credential, hash));
    if (known === null) return null;
    const { bearer, expiresAt } = known;
    if (expiresAt > this.clock.now())
      return 'user' in bearer ? bearer.user : this.staff(bearer.staffId, bearer.sessionId);
    this.remembered.delete(hash);
    return null;
  }

  private async staff(id: string, sessionId: string): Promise<StaffPrincipal | null> {
    const role = await this.sessions.staffRole(sessionId, id);
    return role === undefined ? null : staffPrincipal(id, role);
  }

  private async read(credential: string, hash: string): Promise<Remembered | null> {
    const token = await this.tokens.read(credential);
    if (!token) return null;
    const remembered = { bearer: bearerOf(token), expiresAt: token.expiresAt };
    if (this.remembered.size >= MAX_REMEMBERED) this.forgetOldest();
    this.remembered.set(hash, remembered);
    return remembered;
  }

  private forgetOldest(): void {
    for (const hash of this.remembered.keys()) {
      this.remembered.delete(hash);
      return;
    }
  }
}

function bearerOf({ userId: id, staffSessionId }: AccessToken): Bearer {
  if (staffSessionId !== undefined) return { staffId: id, sessionId: staffSessionId };
  return { user: Object.freeze({ kind: 'user', id, scopes: SCOPES_OF.user, actor: `user:${id}` }) };
}

function staffPrincipal(id: string, role: StaffRole): StaffPrincipal {
  return { kind: 'staff', id, scopes: SCOPES_OF[role], actor: `user:${id}` };
}

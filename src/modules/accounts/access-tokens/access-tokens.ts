import { Inject, Injectable } from '@nestjs/common';
import { errors, type JWTHeaderParameters, jwtVerify, type JWTVerifyResult, SignJWT } from 'jose';
import { createSecretKey } from 'node:crypto';
import { CONFIG, type Config } from '../../../config/index.js';
import { isUuid } from '../../../kernel/ids.js';
import { USER_ID } from '../../../kernel/user-id.js';
import { deriveKey } from '../../../platform/encryption/index.js';
import { DatabaseClock } from '../../../platform/clock/index.js';
import { isStaffRole, type StaffRole } from '../users/role.js';

const ALGORITHM = 'HS256';
const ISSUER = 'holdfast';
const AUDIENCE = 'holdfast-api';
/** Other services know `JWT_SECRET`; nobody but us can sign for staff. */
const STAFF_LABEL = 'holdfast/staff-tokens/v1';
const STAFF_KEY_ID = 'staff';
const HOUR_MS = 3_600_000;

/** A token cannot be taken back, so none may live longer than this, whoever signed it. */
export const MAX_LIFETIME_MS = 24 * HOUR_MS;
/**
 * How far the clock of whoever signed may be ahead of the database's: a token is good from a minute before it says it was
 * issued or is in force, and may end a minute later than it could had it been issued now. Its end stays its end.
 */
const LEEWAY_MS = 60_000;
/** Ours have some 300 characters; nobody may make us decode whole headers full. */
const MAX_LENGTH = 2048;

/** What a token says once it has proved genuine. */
export interface AccessToken {
  readonly userId: string;
  /** Unix milliseconds of the database's clock; from then on it is no token. */
  readonly expiresAt: number;
  /** Set for operators and admins: the token is worth what this session's user is worth when it is used. */
  readonly staffSessionId?: string;
}

/**
 * Access tokens of end users: JWTs (RFC 7519) signed with `JWT_SECRET` by HS256, from `iss` holdfast for `aud`
 * holdfast-api, with the user's id as `sub` and an `exp`. Another service may sign them too, for users: `role` may be left
 * out or be `user`. One for an operator or admin is signed with a key of our own and
 * names its session in `sid`; the database says what that is worth.
 */
@Injectable()
export class AccessTokens {
  private readonly userKey;
  private readonly staffKey;

  constructor(
    @Inject(CONFIG) { jwtSecret, encryptionKey }: Pick<Config, 'jwtSecret' | 'encryptionKey'>,
    private readonly clock: DatabaseClock,
  ) {
    this.userKey = createSecretKey(jwtSecret);
    this.staffKey = createSecretKey(deriveKey(encryptionKey, STAFF_LABEL));
  }

  /**
   * @param lifetimeMs counted from now by the database's clock, cut to whole seconds
   * @param staff for an operator or admin
   * @throws RangeError for an id that is none, or a life below a second or above 24 hours
   */
  async issue(
    userId: string,
    lifetimeMs: number,
    staff?: { role: StaffRole; sessionId: string },
  ): Promise<AccessToken & { token: string }> {
    if (!USER_ID.test(userId)) throw new RangeError('A user id has 1 to 128 visible ASCII characters.');
    if (!(lifetimeMs >= 1000 && lifetimeMs <= MAX_LIFETIME_MS)) {
      throw new RangeError('An access token lives for 1 second to 24 hours.');
    }
    const issuedAt = Math.floor(this.clock.now() / 1000);
    const expiresAt = issuedAt + Math.floor(lifetimeMs / 1000);
    const token = await new SignJWT(staff && { role: staff.role, sid: staff.sessionId })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', ...(staff && { kid: STAFF_KEY_ID }) })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(userId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(staff ? this.staffKey : this.userKey);
    return { token, userId, expiresAt: expiresAt * 1000 };
  }

  /** @returns null for anything but a token that is genuine, ours and in force, without telling which it is not */
  async read(token: string): Promise<AccessToken | null> {
    if (token.length > MAX_LENGTH) return null;
    const now = this.clock.now();
    const verified = await this.verify(token, now);
    if (!verified) return null;
    const { sub: userId, iat = 0, exp, role = 'user', sid } = verified.payload;
    if (typeof userId !== 'string' || !USER_ID.test(userId) || exp === undefined) return null;
    const expiresAt = exp * 1000;
    // The leeway is for clocks that are ahead: an end that is past is past.
    if (expiresAt <= now || expiresAt > now + MAX_LIFETIME_MS + LEEWAY_MS || iat * 1000 > now + LEEWAY_MS) return null;
    const byStaffKey = verified.protectedHeader.kid === STAFF_KEY_ID;
    if (role === 'user') return byStaffKey ? null : { userId, expiresAt };
    const isStaff = byStaffKey && isStaffRole(role) && isUuid(userId) && typeof sid === 'string' && isUuid(sid);
    return isStaff ? { userId, expiresAt, staffSessionId: sid } : null;
  }

  private async verify(token: string, now: number): Promise<JWTVerifyResult | null> {
    try {
      const keyOf = ({ kid }: JWTHeaderParameters) => (kid === STAFF_KEY_ID ? this.staffKey : this.userKey);
      return await jwtVerify(token, keyOf, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'exp'],
        currentDate: new Date(now),
        clockTolerance: LEEWAY_MS / 1000,
      });
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }
}

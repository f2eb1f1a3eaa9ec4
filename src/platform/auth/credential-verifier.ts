import type { Principal } from './principal.js';

/** Knows whose credential it is; an abstract class so that it can be the injection token too. */
export abstract class CredentialVerifier {
  /**
   * Anybody may try out credentials by the thousand: what that costs must have a bound, and no good credential may be refused
   * for it.
   *
   * @param credential as the caller sent it; never log or store it
   * @returns null when the credential is unknown, expired or revoked, whichever it is
   * @throws what the database throws when it cannot be asked: no answer is not a no
   */
  abstract verify(credential: string): Promise<Principal | null>;
}

import type { Principal } from './principal.js';

/** Knows whose credential it is; an abstract class so that it can be the injection token too. */
export abstract class CredentialVerifier {
  /**
   * @param credential as the caller sent it; never log or store it
   * @returns null when the credential is unknown, expired or revoked, whichever it is
   * @throws what the database throws when it cannot be asked: no answer is not a no
   */
  abstract verify(credential: string): Promise<Principal | null>;

  /**
   * Like `verify`, for a caller whose address has failed too often: asks nobody about a credential that this process
   * cannot prove genuine by itself, so that trying out credentials costs the database nothing.
   */
  abstract recall(credential: string): Promise<Principal | null>;
}

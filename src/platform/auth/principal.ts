import type { Scope } from './scope.js';

/** A service that came with an API key. */
export interface ApiKeyPrincipal {
  readonly kind: 'api-key';
  /** UUID of the key. */
  readonly id: string;
  readonly name: string;
  /** Rate limits of its own, by name of the rule. */
  readonly limits?: Readonly<Record<string, number>> | null;
  /** Whom its requests are counted for, `api-key:<id>`: itself, or the key that made it. */
  readonly limitedAs?: string;
  readonly scopes: readonly Scope[];
  /** How audit lines name it: `api-key:<id>`. */
  readonly actor: string;
}

/** An end user that came with an access token; acts on what is its own. */
export interface UserPrincipal {
  readonly kind: 'user';
  /** The token's subject: the `userId` of accounts, payments and forms. */
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** How audit lines name it: `user:<id>`. */
  readonly actor: string;
}

/** An operator or admin that came with an access token; acts by its scopes on everything, like a service. */
export interface StaffPrincipal {
  readonly kind: 'staff';
  /** UUID of the user. */
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** How audit lines name it: `user:<id>`. */
  readonly actor: string;
}

/** Who is calling; switch on `kind`. */
export type Principal = ApiKeyPrincipal | UserPrincipal | StaffPrincipal;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the `AuthGuard`; absent on public routes. */
    principal?: Principal;
  }
}

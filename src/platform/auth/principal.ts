import type { Scope } from './scope.js';

/** A service that came with an API key. */
export interface ApiKeyPrincipal {
  readonly kind: 'api-key';
  /** UUID of the key. */
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** How audit lines name it: `api-key:<id>`. */
  readonly actor: string;
}

/** Who is calling; switch on `kind`. */
export type Principal = ApiKeyPrincipal;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the `AuthGuard`; absent on public routes. */
    principal?: Principal;
  }
}

import type { ExecutionContext } from '@nestjs/common';

/** Of a route that takes idempotency keys. */
export interface IdempotentOptions {
  /** Whether a request without a key is refused with 400. */
  readonly required: boolean;
  /** The handler records its answer in the transaction of its effect: see `IdempotentTransactor`. */
  readonly inTransaction?: true;
  /**
   * Body or answer hold a secret: the fingerprint is made with a key, so that the body cannot be guessed from the database,
   * and the answer is stored sealed.
   */
  readonly confidential?: true;
}

const OPTIONS = 'holdfast:idempotent';

type Handler = ReturnType<ExecutionContext['getHandler']>;

export function declareIdempotent(handler: object, options: IdempotentOptions): void {
  Reflect.defineMetadata(OPTIONS, options, handler);
}

/** Reads the options of handlers, each once: the guard asks for every request of every route. */
export class IdempotentRoutes {
  private readonly known = new WeakMap<Handler, IdempotentOptions | null>();

  /** null for a route that takes no keys */
  of(handler: Handler): IdempotentOptions | null {
    const known = this.known.get(handler);
    if (known !== undefined) return known;
    const options: IdempotentOptions | null = Reflect.getMetadata(OPTIONS, handler) ?? null;
    this.known.set(handler, options);
    return options;
  }
}

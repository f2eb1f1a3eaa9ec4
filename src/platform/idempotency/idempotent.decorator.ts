import { applyDecorators, UseInterceptors } from '@nestjs/common';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { declareIdempotent, type IdempotentOptions } from './idempotent-route.js';

/**
 * The route takes `Idempotency-Key` or `X-Idempotency-Key`: its effect happens once a key, and repeats get the first
 * answer.
 *
 * With `inTransaction` the handler passes its `@Claim()` on to `IdempotentTransactor.run`, which commits effect and answer
 * together. Without, the key is claimed, the handler runs, and its answer is stored afterwards: for work that cannot be in
 * one transaction with its answer, such as calling a provider. Such a handler looks at `request.idempotency`: `resumed` is
 * true when an earlier attempt ended without an answer, and `signal` aborts when another attempt may have taken over.
 */
export function Idempotent(options: IdempotentOptions): MethodDecorator {
  return applyDecorators(
    (_target: object, _name: string | symbol, { value }: PropertyDescriptor) => declareIdempotent(value, options),
    UseInterceptors(IdempotencyInterceptor),
  );
}

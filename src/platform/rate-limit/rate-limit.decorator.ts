import type { ExecutionContext, Type } from '@nestjs/common';
import type { RateLimitRuleName } from '../../config/index.js';

const RULES = 'holdfast:rate-limit';

type Handler = ReturnType<ExecutionContext['getHandler']>;

/**
 * Adds rules to a route, or to all routes of a controller: `@RateLimit('payments')`. They count per credential, on public
 * routes per address, beside the default ones of every route that is not public.
 */
export const RateLimit =
  (...names: [RateLimitRuleName, ...RateLimitRuleName[]]): ClassDecorator & MethodDecorator =>
  (target: object, _key?: string | symbol, descriptor?: PropertyDescriptor) => {
    const subject: object = descriptor?.value ?? target;
    Reflect.defineMetadata(RULES, names, subject);
  };

/** The rules a route and its controller ask for, each once. */
export function rulesOf(handler: Handler, controller: Type): readonly RateLimitRuleName[] {
  const ofController: readonly RateLimitRuleName[] = Reflect.getMetadata(RULES, controller) ?? [];
  const ofHandler: readonly RateLimitRuleName[] = Reflect.getMetadata(RULES, handler) ?? [];
  return [...new Set([...ofController, ...ofHandler])];
}

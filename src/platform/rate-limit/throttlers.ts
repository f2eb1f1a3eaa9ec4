import type { ExecutionContext } from '@nestjs/common';
import type { ThrottlerOptions } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import type { RateLimitRuleName } from '../../config/index.js';
import type { RateLimitRules } from './rate-limit-rules.js';
import { isSafe, routeRules } from './route-rules.js';

/** The rules that are on, as `ThrottlerModule` takes them; each is skipped where it does not limit a route. */
export function throttlersOf(rules: RateLimitRules): ThrottlerOptions[] {
  return rules.all
    .filter(({ limit }) => limit > 0)
    .map(({ name, limit, windowMs }) => ({
      name,
      limit,
      ttl: windowMs,
      skipIf: (context) => !isLimitedBy(name, context),
    }));
}

function isLimitedBy(rule: RateLimitRuleName, context: ExecutionContext): boolean {
  const { method } = context.switchToHttp().getRequest<FastifyRequest>();
  const { reading, changing } = routeRules(context.getHandler(), context.getClass());
  return (isSafe(method) ? reading : changing).some(({ name }) => name === rule);
}

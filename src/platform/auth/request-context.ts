import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** Who asked and from where; what audit lines need to know about a request. */
export interface RequestContext {
  /** `api-key:<id>`, `user:<id>`, `cli:<user>`, `system` or, on public routes, `anonymous`. */
  actor: string;
  requestId?: string;
  /** After trusted proxies. */
  ip?: string;
}

/** A parameter of type `RequestContext`. */
export const Context = createParamDecorator((_: unknown, context: ExecutionContext): RequestContext =>
  requestContextOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

export function requestContextOf(request: Pick<FastifyRequest, 'id' | 'ip' | 'principal'>): RequestContext {
  return { actor: request.principal?.actor ?? 'anonymous', requestId: request.id, ip: request.ip };
}

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, NotFoundError } from '../../kernel/app-error.js';

/** 405: there is something at the address, for other methods. */
export class MethodNotAllowedError extends AppError {
  readonly code = 'METHOD_NOT_ALLOWED';
  readonly status = 405;
  readonly title = 'Method Not Allowed';

  /** @param allowed at least one */
  constructor(allowed: readonly string[]) {
    const list = allowed.join(', ');
    super(`This address takes ${list} only.`, { details: { allowed }, headers: { Allow: list } });
  }
}

/** Those a route can have; OPTIONS is answered by CORS alone. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Refuses what no route takes before its body is read. After `installCors`: pages of other origins may read the refusal. */
export function refuseUnrouted(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => done(request.is404 ? unrouted(request) : undefined));
}

/** Why a request has no route: 405 where other methods have one, else 404. The router is asked: it knows them all. */
export function unrouted({ server, method, url }: FastifyRequest): AppError {
  const allowed = METHODS.filter((each) => isRouted(server, each, url));
  // A handler that passes its request on as not found does not ask for another method.
  if (allowed.length === 0 || allowed.includes(method)) return new NotFoundError('There is nothing at this address.');
  return new MethodNotAllowedError(allowed);
}

/** A part of the path that is empty names nothing: Nest passes such requests on as not found. */
function isRouted(server: FastifyInstance, method: string, url: string): boolean {
  const route = server.findRoute({ method, url });
  return route !== null && !Object.entries(route.params).some(([name, value]) => value === '' && name !== '*');
}

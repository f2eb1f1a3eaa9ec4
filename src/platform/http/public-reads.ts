import type { FastifyInstance, FastifyReply, onRequestHookHandler, RouteOptions } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Can be read by anyone, and is limited by address. */
    publicRead?: boolean;
  }
}

/** `@RouteConfig(PUBLIC_READ)`: can be read by anyone, so often a minute from one address. */
export const PUBLIC_READ = { publicRead: true } as const;

/**
 * Limits what anyone may read, each address by itself. Not the health routes: whoever shares an address with a health
 * checker must not have this server restarted. Before any route is added.
 *
 * @param isPublicRead by the address in the router, for routes that others add
 * @param limit throws RateLimitedError (429)
 */
export function limitPublicReads(
  fastify: FastifyInstance,
  isPublicRead: (url: string) => boolean,
  limit: { record(ip: string, reply: FastifyReply): void },
): void {
  fastify.addHook('onRoute', (route: RouteOptions) => {
    if (!route.config?.publicRead && !isPublicRead(route.url)) return;
    const count: onRequestHookHandler = (request, reply, done) => {
      try {
        limit.record(request.ip, reply);
      } catch (refusal) {
        return done(refusal as Error);
      }
      done();
    };
    route.onRequest = [route.onRequest ?? [], count].flat();
  });
}

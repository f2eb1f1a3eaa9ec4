import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/index.js';
import { withoutSecrets } from './json-logger.js';
import { loggedPath } from './logged-path.js';

/** Asked for every few seconds by machines. */
const QUIET = /^\/(?:health|metrics)/;

/**
 * One line and one measurement per answered request. Metrics are labelled with the route's pattern, never with the path a
 * caller chose.
 */
export function logRequests(fastify: FastifyInstance, logger: Logger, metrics: Metrics): void {
  const durations = metrics.histogram('holdfast_http_request_duration_seconds', 'Requests by route and status', {
    labelNames: ['method', 'route', 'status'],
  });
  // Asking the metric by its labels each time costs more than the measurement.
  const children = new Map<string, ReturnType<typeof durations.labels>>();
  const durationsOf = (method: string, route: string, status: number) => {
    const key = `${method} ${route} ${status}`;
    let child = children.get(key);
    if (!child) children.set(key, (child = durations.labels({ method, route, status })));
    return child;
  };
  fastify.addHook('onResponse', (request: FastifyRequest, reply: FastifyReply, done) => {
    const { method, routeOptions } = request;
    const route = routeOptions.url ?? 'none';
    const status = reply.statusCode;
    durationsOf(method, route, status).observe(reply.elapsedTime / 1000);
    // An accepted webhook has its row and its audit line; a log line each would be the third copy.
    const accepted = status < 300 && routeOptions.config.rawBody === true;
    const level = status >= 500 ? 'error' : accepted || QUIET.test(request.url) ? 'debug' : 'info';
    if (logger.isLevelEnabled(level)) {
      logger[level](
        {
          // Both are the caller's to choose.
          requestId: withoutSecrets(request.id),
          method,
          path: loggedPath(request.url),
          status,
          ms: Math.round(reply.elapsedTime * 10) / 10,
          ip: request.ip,
          ...(request.principal && { actor: request.principal.actor }),
        },
        'request',
      );
    }
    done();
  });
}

import { type ArgumentsHost, Catch, type ExceptionFilter, Logger, NotFoundException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { stringifyExactJson } from '../../kernel/exact-json.js';
import { loggedPath } from '../logging/index.js';
import { PROBLEM_JSON, toProblem } from './problem.js';
import { unrouted } from './unrouted.js';

/** The one place where an error becomes an HTTP answer. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Also Fastify's own error handler: body limits and malformed requests fail before Nest is asked. */
  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    // The client is gone, in the middle of its request or of our answer: nobody is left to tell, and nothing of ours broke.
    if (request.raw.socket.destroyed) return;
    const instance = request.url.split('?', 1)[0] ?? '/';
    // Nest's own, for a request that its route passed on as not found.
    const refusal = error instanceof NotFoundException && request.is404 ? unrouted(request) : error;
    const { problem, headers } = toProblem(refusal, instance, request.id);
    if (problem.status >= 500) {
      this.logger.error({
        msg: `${request.method} ${loggedPath(request.url)} failed`,
        requestId: request.id,
        code: problem.code,
        err: error,
      });
    }
    if (reply.sent || reply.raw.headersSent) return;
    reply
      .status(problem.status)
      .headers(headers)
      // Set by hooks already, except where Fastify refuses a URL: none runs for that.
      .header('x-request-id', request.id)
      .header('cache-control', 'no-store')
      .header('content-type', PROBLEM_JSON)
      .send(stringifyExactJson(problem));
  }
}

import { type CanActivate, type ExecutionContext, Injectable, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Metrics } from '../metrics/index.js';
import { FailedAuthentications } from '../rate-limit/index.js';
import { AccessPolicies } from './access-policy.js';
import { ForbiddenError, UnauthenticatedError } from './auth.errors.js';
import { CredentialVerifier } from './credential-verifier.js';
import type { Principal } from './principal.js';
import { type CredentialFault, readCredential } from './read-credential.js';
import { type Scope, scopesMissing } from './scope.js';

type FailureReason = CredentialFault | 'invalid' | 'scope';

const HOW_TO = 'Send "Authorization: Bearer <key or access token>" or "X-API-Key: <key>".';

const FAULT_DETAIL: Record<CredentialFault, string> = {
  missing: `No credential was given. ${HOW_TO}`,
  malformed: `The credential is malformed. ${HOW_TO}`,
  ambiguous: `More than one credential was given. ${HOW_TO}`,
};

/** Guards every route of the system. A route that does not say who may call it is closed to all. */
@Injectable()
export class AuthGuard implements CanActivate {
  private readonly logger = new Logger(AuthGuard.name);
  private readonly policies = new AccessPolicies();
  private readonly failures;

  constructor(
    private readonly verifier: CredentialVerifier,
    private readonly failed: FailedAuthentications,
    metrics: Metrics,
  ) {
    this.failures = metrics.counter('holdfast_auth_failures_total', 'Requests refused by the guard', ['reason']);
  }

  /**
   * @throws UnauthenticatedError (401) without a valid credential; RateLimitedError (429) once that was too often
   * @throws ForbiddenError (403) when it lacks a scope, or the route has no policy
   */
  canActivate(context: ExecutionContext): true | Promise<true> {
    const handler = context.getHandler();
    const controller = context.getClass();
    const policy = this.policies.of(handler, controller);
    if (policy === 'public') return true;
    if (policy === undefined) {
      this.logger.error(
        `${controller.name}.${handler.name} is refused to everyone: it has neither @Public(), @Authenticated() nor ` +
          '@RequireScopes(…).',
      );
      throw new ForbiddenError('This route is not open to callers.');
    }
    const http = context.switchToHttp();
    return this.admit(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), policy.scopes);
  }

  private async admit(request: FastifyRequest, reply: FastifyReply, wanted: readonly Scope[]): Promise<true> {
    const read = readCredential(request.raw);
    if ('fault' in read) {
      this.refused(request, read.fault);
      this.failed.record(request.ip, reply);
      throw new UnauthenticatedError(FAULT_DETAIL[read.fault]);
    }
    // Whoever is genuine gets in, whatever others at the same address try: only failures are counted.
    const principal = await this.verifier.verify(read.credential);
    if (!principal) {
      this.refused(request, 'invalid');
      this.failed.record(request.ip, reply);
      throw new UnauthenticatedError('The credential is not valid: it is unknown, expired or revoked.');
    }
    const missing = scopesMissing(principal.scopes, wanted);
    if (missing.length > 0) {
      this.refused(request, 'scope', principal);
      throw new ForbiddenError(`The credential lacks the scope ${missing.join(', ')}.`, {
        details: { requiredScopes: wanted, missingScopes: missing },
      });
    }
    request.principal = principal;
    return true;
  }

  private refused(request: FastifyRequest, reason: FailureReason, principal?: Principal): void {
    this.failures.inc({ reason });
    this.logger.log({
      msg: 'Request refused by the guard',
      reason,
      actor: principal?.actor,
      requestId: request.id,
      ip: request.ip,
      method: request.method,
      route: request.routeOptions.url,
    });
  }
}

import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CONFIG, type Config } from '../../../config/index.js';
import { RateLimiter } from '../../../platform/rate-limit/index.js';
import { type ActiveSource, SourceDirectory } from '../sources/source-directory.js';
import { IpNotAllowedError, UnknownSourceError } from './ingest.errors.js';
import { sourceName, type WebhookRequest } from './webhook-request.js';

/** The edge: is there such a source, may this address send to it, has it any requests left this minute? */
@Injectable()
export class WebhookSourceGuard implements CanActivate {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly directory: SourceDirectory,
    private readonly limiter: RateLimiter,
  ) {}

  /** With the memory store it answers at once, without a promise. */
  canActivate(context: ExecutionContext): true | Promise<true> {
    const http = context.switchToHttp();
    const request = http.getRequest<WebhookRequest>();
    const name = sourceName(request);
    const source = this.directory.find(name);
    const reply = http.getResponse<FastifyReply>();
    return source ? this.admit(source, request, reply) : this.lookUp(name, request, reply);
  }

  private async lookUp(name: string, request: WebhookRequest, reply: FastifyReply): Promise<true> {
    const source = await this.directory.lookUp(name);
    if (!source) throw new UnknownSourceError(name);
    return this.admit(source, request, reply);
  }

  private admit(source: ActiveSource, request: WebhookRequest, reply: FastifyReply): true | Promise<true> {
    request.webhookSource = source;
    const limit = source.rateLimitPerMinute ?? this.config.WEBHOOK_RATE_LIMIT_PER_MINUTE;
    const counted = this.limiter.enforce('webhooks', [source.name], request.ip, limit, reply);
    // After the limit: each refusal is an audit line, and those must not be free.
    return counted ? counted.then(() => admitted(source, request.ip)) : admitted(source, request.ip);
  }
}

function admitted({ allowedIps }: ActiveSource, ip: string): true {
  if (allowedIps && !allowedIps.includes(ip)) throw new IpNotAllowedError(ip);
  return true;
}

import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../../../config/index.js';
import { ProblemFilter } from '../../../platform/http/index.js';
import { RateLimiter } from '../../../platform/rate-limit/index.js';
import { webhookProvider } from '../providers/provider-registry.js';
import { type ActiveSource, SourceDirectory } from '../sources/source-directory.js';
import { WebhookRejections } from './webhook-rejections.js';
import { sourceName, type WebhookRequest } from './webhook-request.js';

/** A webhook before it is here: how much of it is read, and what becomes of one that is refused meanwhile. */
@Injectable()
export class WebhookIntake {
  private readonly problems = new ProblemFilter();

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly directory: SourceDirectory,
    private readonly limiter: RateLimiter,
    private readonly rejections: WebhookRejections,
  ) {}

  /** @returns bytes a body may have; for an unknown source as few as for most */
  bodyLimit(request: FastifyRequest): number {
    const usual = this.config.WEBHOOK_BODY_LIMIT_BYTES;
    const source = this.directory.find(sourceName(request as WebhookRequest));
    if (source === undefined) return usual;
    return source.bodyLimitBytes ?? Math.max(usual, webhookProvider(source.provider).maxBodyBytes ?? 0);
  }

  /** Answers what failed before any guard or filter was asked: too large, too slow, cut off, not by HTTPS. */
  async refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const webhook = request as WebhookRequest;
    const source = this.directory.find(sourceName(webhook));
    const refusal = source === undefined ? error : await this.counted(source, error, webhook, reply);
    this.rejections.note(refusal, webhook, source?.name);
    this.problems.answer(refusal, request, reply);
  }

  /** Each refusal is an audit line, and those must not be free. @returns what to answer: over the limit, 429 */
  private async counted(source: ActiveSource, error: unknown, request: WebhookRequest, reply: FastifyReply) {
    const limit = source.rateLimitPerMinute ?? this.config.WEBHOOK_RATE_LIMIT_PER_MINUTE;
    try {
      await this.limiter.enforce('webhooks', [source.name], request.ip, limit, reply);
      return error;
    } catch (limited) {
      return limited;
    }
  }
}

import { Controller, Get, Inject, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CONFIG, type Config } from '../../config/index.js';
import { Public } from '../auth/index.js';
import { PLAIN_HTTP, PUBLIC_READ } from '../http/index.js';
import { atMostEvery, Metrics } from '../metrics/index.js';

/** Public like the health routes: it tells counts, never content. Keep it off the internet at the proxy. */
@ApiExcludeController()
@Controller('metrics')
export class MetricsController {
  /** As bytes: each answer is written from the same ones. */
  private readonly text: () => Promise<Buffer>;

  constructor(
    private readonly metrics: Metrics,
    @Inject(CONFIG) { METRICS_MAX_AGE_MS }: Config,
  ) {
    this.text = atMostEvery(METRICS_MAX_AGE_MS, async () => Buffer.from(await metrics.render()));
  }

  @Get()
  @Public()
  @RouteConfig({ ...PLAIN_HTTP, ...PUBLIC_READ })
  async scrape(@Res() reply: FastifyReply): Promise<void> {
    await reply.type(this.metrics.contentType).send(await this.text());
  }
}

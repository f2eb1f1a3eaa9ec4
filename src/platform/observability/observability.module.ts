import { Module } from '@nestjs/common';
import { RedisModule } from '../redis/index.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { Readiness } from './readiness.js';

/** What operators and their machines ask: is it up, how is it doing? */
@Module({ imports: [RedisModule], controllers: [HealthController, MetricsController], providers: [Readiness] })
export class ObservabilityModule {}

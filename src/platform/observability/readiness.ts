import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { REDIS, type RedisConnection } from '../redis/index.js';
import type { CheckState, ReadinessDto } from './health.dto.js';

/** A probe wants an answer, not a pool's patience. */
const DEADLINE_MS = 2000;

/** Can this process serve requests right now? */
@Injectable()
export class Readiness implements BeforeApplicationShutdown {
  private stopping = false;
  private asking: ReturnType<Readiness['ask']> | undefined;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(REDIS) private readonly redis: RedisConnection,
  ) {}

  beforeApplicationShutdown(): void {
    this.stopping = true;
  }

  /** However many ask at once, PostgreSQL and Redis are asked once. */
  async check(): Promise<ReadinessDto> {
    const [migrations, redis] = await (this.asking ??= this.ask().finally(() => (this.asking = undefined)));
    const ready = migrations === 'done' && !this.stopping;
    const database = migrations === 'unknown' ? 'down' : 'up';
    return { status: ready ? 'ready' : 'unavailable', checks: { database, redis, migrations } };
  }

  private ask() {
    return Promise.all([within(this.migrations()).catch(() => 'unknown' as const), this.checkRedis()]);
  }

  private async migrations(): Promise<'done' | 'pending'> {
    const rows = await this.dataSource.query<{ name: string }[]>('SELECT name FROM migrations');
    const ran = new Set(rows.map(({ name }) => name));
    return this.dataSource.migrations.every(({ name, constructor }) => ran.has(name ?? constructor.name))
      ? 'done'
      : 'pending';
  }

  private async checkRedis(): Promise<CheckState> {
    if (!this.redis) return 'off';
    return within(this.redis.ping()).then(
      () => 'up' as const,
      () => 'down' as const,
    );
  }
}

function within<T>(work: Promise<T>): Promise<T> {
  return Promise.race([
    work,
    delay(DEADLINE_MS, undefined, { ref: false }).then(() => {
      throw new Error('no answer in time');
    }),
  ]);
}

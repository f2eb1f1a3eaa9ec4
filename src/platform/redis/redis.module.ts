import { Inject, Injectable, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import { CONFIG, type Config } from '../../config/index.js';

/** Injection token; `Redis`, or null when `REDIS_URL` is not set. Of several servers the first. */
export const REDIS = Symbol('REDIS');
/** Injection token; a `RedisClient` for every server of `REDIS_URL`, which know nothing of each other: locks take a vote. */
export const REDIS_NODES = Symbol('REDIS_NODES');
export type RedisClient = Redis;
export type RedisConnection = RedisClient | null;

/** Redis only makes things faster: what does not answer at once is done without it. */
const COMMAND_TIMEOUT_MS = 250;

@Injectable()
class RedisLifecycle implements OnApplicationShutdown {
  constructor(@Inject(REDIS_NODES) private readonly nodes: readonly RedisClient[]) {}

  onApplicationShutdown(): void {
    for (const node of this.nodes) node.disconnect();
  }
}

@Module({
  providers: [
    { provide: REDIS_NODES, inject: [CONFIG], useFactory: ({ REDIS_URL }: Config) => REDIS_URL.map(connect) },
    {
      provide: REDIS,
      inject: [REDIS_NODES],
      useFactory: (nodes: readonly RedisClient[]): RedisConnection => nodes[0] ?? null,
    },
    RedisLifecycle,
  ],
  exports: [REDIS, REDIS_NODES],
})
export class RedisModule {}

function connect(url: string): RedisClient {
  const logger = new Logger('Redis');
  const { host } = new URL(url);
  const redis = new Redis(url, {
    // Requests must not pile up behind a connection that is gone.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: 2000,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2000),
  });
  let down = false;
  redis.on('error', (error: Error) => {
    if (!down) logger.warn(`Redis at ${host} is away (${error.message}); going on without it`);
    down = true;
  });
  redis.on('ready', () => {
    if (down) logger.log(`Redis at ${host} is back`);
    down = false;
  });
  return redis;
}

import {
  type DynamicModule,
  Global,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Redis } from 'ioredis';
import { CONFIG, type Config } from '../../config/index.js';

/** Injection token; `Redis`, or null when `REDIS_URL` is not set. */
export const REDIS = Symbol('REDIS');
export type RedisClient = Redis;
export type RedisConnection = RedisClient | null;

/** Redis only makes things faster: what does not answer at once is done without it. */
const COMMAND_TIMEOUT_MS = 250;

@Injectable()
class RedisLifecycle implements OnApplicationShutdown {
  constructor(@Inject(REDIS) private readonly redis: RedisConnection) {}

  onApplicationShutdown(): void {
    this.redis?.disconnect();
  }
}

@Global()
@Module({})
export class RedisModule {
  static forRoot(): DynamicModule {
    return {
      module: RedisModule,
      providers: [{ provide: REDIS, inject: [CONFIG], useFactory: connect }, RedisLifecycle],
      exports: [REDIS],
    };
  }
}

function connect(config: Config): RedisConnection {
  if (!config.REDIS_URL) return null;
  const logger = new Logger('Redis');
  const redis = new Redis(config.REDIS_URL, {
    // Requests must not pile up behind a connection that is gone.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: 2000,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2000),
  });
  let down = false;
  redis.on('error', (error: Error) => {
    if (!down) logger.warn(`Redis is away (${error.message}); going on without it`);
    down = true;
  });
  redis.on('ready', () => {
    if (down) logger.log('Redis is back');
    down = false;
  });
  return redis;
}

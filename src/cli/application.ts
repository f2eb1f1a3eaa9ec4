import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { userInfo } from 'node:os';
import { DataSource } from 'typeorm';
import { AppModule } from '../app.module.js';
import type { Config } from '../config/index.js';
import type { RequestContext } from '../platform/auth/index.js';
import { withDatabase } from './with-database.js';

const POOL_SIZE = 4;
const POOL_TIMEOUT_MS = 10_000;

/**
 * Hands the application's services to `work`, on the database itself: no HTTP, and nothing that runs by itself.
 *
 * @throws what `work` threw, or the database's error; everything is closed by then
 */
export function withApplication<T>(config: Config, work: (app: INestApplicationContext) => Promise<T>): Promise<T> {
  return withDatabase(config, async (url) => {
    const app = await NestFactory.createApplicationContext(AppModule.forRoot(atRest(config), url), {
      logger: false,
      abortOnError: false,
    });
    try {
      return await work(app);
    } finally {
      await app.close();
      await app.get(DataSource).destroy();
    }
  });
}

/** Who acts, for the audit log: whoever has a shell on this machine. */
export function operator(): RequestContext {
  return { actor: `cli:${userName()}` };
}

/**
 * The same application without its own life: the role `api` claims, seals and sweeps nothing, and a command must not
 * rotate secrets because its shell has other ones than the server.
 */
function atRest(config: Config): Config {
  return {
    ...config,
    role: 'api',
    webhookSecrets: {},
    REDIS_URL: [],
    DB_POOL_SIZE: POOL_SIZE,
    DB_POOL_TIMEOUT_MS: POOL_TIMEOUT_MS,
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user need not have a name.
    return String(process.getuid?.() ?? 'unknown');
  }
}

import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DynamicModule, Type } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AppModule } from './app.module.js';
import type { Config } from './config/index.js';
import { configureApp, createAdapter } from './configure-app.js';
import { firstKey } from './first-key.js';
import { migrate, type OpenDatabase, openDatabase, otherConnections } from './platform/database/index.js';
import { establishKey, noteJwtSecret, requireKnownKey } from './platform/encryption/index.js';
import type { JsonLogger } from './platform/logging/index.js';
import { Readiness } from './platform/observability/index.js';
import { SUPERVISOR } from './platform/processes/index.js';
import { SCHEMA, SEALED_COLUMNS } from './schema.js';

const SEPARATE_LIMITS =
  'Holdfast runs on this database already, and limits are counted in memory: each server counts for itself. Give all of them ' +
  'the same REDIS_URL, or REPLICAS with their number, for limits that hold together.';

export interface RunningServer {
  /** Where it listens, `http://127.0.0.1:3000`. */
  url: string;
  embeddedDatabase: boolean;
  /** The admin key a newcomer may use, when this start knows one. */
  adminKey: string | null;
  /** Stops accepting, finishes what is in flight within a bound, hands leases back, closes pools. */
  stop(): Promise<void>;
}

/**
 * Starts everything: database, schema, application, HTTP.
 *
 * @param extra modules to load beside Holdfast's own
 * @throws Error with one line on how to mend it (port taken, database not reachable, folder not writable)
 */
export async function startServer(
  config: Config,
  logger: JsonLogger,
  extra: (Type | DynamicModule)[] = [],
): Promise<RunningServer> {
  const database =
    SUPERVISOR === null ? await openMigratedDatabase(config, logger) : await openDatabase(config, () => undefined);
  try {
    const app = await createApp(config, database.url, logger, extra);
    try {
      if (SUPERVISOR !== null) await requireSchema(app);
      const adminKey = await firstKey(app, config);
      await app.listen(config.PORT, config.HOST);
      const stop = async () => {
        await stopApp(app, config);
        await database.stop();
      };
      return { url: await app.getUrl(), embeddedDatabase: database.embedded, adminKey, stop };
    } catch (error) {
      await stopApp(app, config);
      throw error;
    }
  } catch (error) {
    await database.stop();
    throw error;
  }
}

/**
 * A process of several may be replaced after the program was changed on disk: then it must not migrate under those that
 * still run the old one.
 */
async function requireSchema(app: NestFastifyApplication): Promise<void> {
  const { checks } = await app.get(Readiness).check();
  if (checks.migrations !== 'pending') return;
  throw new Error('The program on disk is newer than the one that runs, and needs another schema: restart Holdfast.');
}

/** @throws Error with one line on how to mend it */
export async function openMigratedDatabase(config: Config, logger: JsonLogger): Promise<OpenDatabase> {
  const database = await openDatabase(config, (line) => logger.log(line, 'EmbeddedPostgres'));
  try {
    const migrated = await migrate(database.url, SCHEMA, async (dataSource) => {
      await requireKnownKey(dataSource, config);
      if (config.rateLimitStore === 'memory' && (await otherConnections(dataSource)) > 0) {
        logger.warn(SEPARATE_LIMITS, 'Start');
      }
    });
    if (migrated.length > 0) logger.log(`Migrated the schema: ${migrated.join(', ')}`, 'Migrations');
    return database;
  } catch (error) {
    await database.stop();
    throw error;
  }
}

async function createApp(
  config: Config,
  databaseUrl: string,
  logger: JsonLogger,
  extra: (Type | DynamicModule)[],
): Promise<NestFastifyApplication> {
  const module = AppModule.forRoot(config, databaseUrl);
  const app = await NestFactory.create<NestFastifyApplication>(
    { ...module, imports: [...(module.imports ?? []), ...extra] },
    createAdapter(config),
    { logger, bodyParser: false, abortOnError: false },
  );
  configureApp(app, config, logger);
  const dataSource = app.get(DataSource);
  // On the application's own connections, before it reads or writes anything: a rotation of the key sees them.
  await establishKey(dataSource, config, SEALED_COLUMNS);
  await app.init();
  if (await noteJwtSecret(dataSource, config)) {
    logger.warn(
      'JWT_SECRET is another one than at the last start: access tokens of users from before have ended. If several servers ' +
        'run with different ones, each refuses the tokens of the others.',
      'Start',
    );
  }
  return app;
}

/** A request or handler that does not end in time is cut off; its event goes back to the queue. */
async function stopApp(app: NestFastifyApplication, config: Config): Promise<void> {
  const dataSource = app.get(DataSource);
  const cutOff = setTimeout(() => {
    app.getHttpServer().closeAllConnections();
  }, config.SHUTDOWN_TIMEOUT_MS).unref();
  await app.close();
  clearTimeout(cutOff);
  await dataSource.destroy();
}

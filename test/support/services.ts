import { spawnSync } from 'node:child_process';
import { MIGRATIONS } from '../../migrations/index.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres/index.js';
import { compileIntoBuild } from './compile-into-build.mjs';
import { databaseUrl, execute, TEMPLATE } from './database.js';
import { TestRedis } from './redis.js';
import { makeTempFolder, removeTempFolder } from './temp-folder.js';

const cleanUps: (() => Promise<void> | void)[] = [];

/**
 * One real PostgreSQL with a migrated template database, one real Redis and a fresh build, for all test files: they find
 * them in `TEST_DATABASE_URL`, `TEST_REDIS_URL` and `TEST_BUILD`, which the processes of the tests inherit.
 */
export async function startServices(): Promise<void> {
  try {
    process.env['TEST_BUILD'] = await build();
    process.env['TEST_REDIS_URL'] ||= await startRedis();
    process.env['TEST_DATABASE_URL'] ||= await startPostgres();
    await createTemplate(process.env['TEST_DATABASE_URL']);
  } catch (error) {
    await stopServices();
    throw error;
  }
}

/** Stops what was started, the last first. */
export async function stopServices(): Promise<void> {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
}

/** A failed build fails the tests that start the server and no others; why it failed was printed. */
async function build(): Promise<'whole' | 'failed'> {
  const script = "import { isBuilt, prepare } from './scripts/prepare.mjs'; if (!isBuilt()) await prepare();";
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  if (status !== 0) return 'failed';
  await compileIntoBuild('test/support');
  return 'whole';
}

async function startRedis(): Promise<string> {
  const redis = await TestRedis.start();
  cleanUps.push(() => redis.stop());
  return redis.url;
}

/** @returns the URL of a role that may create databases */
async function startPostgres(): Promise<string> {
  const dataDir = makeTempFolder('tests');
  cleanUps.push(() => removeTempFolder(dataDir));
  const postgres = await startEmbeddedPostgres({ dataDir });
  cleanUps.push(() => postgres.stop());
  return postgres.url;
}

async function createTemplate(server: string): Promise<void> {
  const drop = () => execute(server, `DROP DATABASE IF EXISTS ${TEMPLATE} WITH (FORCE)`);
  await drop();
  await execute(server, `CREATE DATABASE ${TEMPLATE}`);
  cleanUps.push(drop);
  await migrate(databaseUrl(server, TEMPLATE), { entities: [], migrations: MIGRATIONS });
  // A database somebody is connected to cannot be cloned.
  await execute(server, `ALTER DATABASE ${TEMPLATE} ALLOW_CONNECTIONS false`);
}

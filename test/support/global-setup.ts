import { spawnSync } from 'node:child_process';
import type { TestProject } from 'vitest/node';
import { MIGRATIONS } from '../../src/migrations/index.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres/index.js';
import { databaseUrl, execute, TEMPLATE } from './database.js';
import { TestRedis } from './redis.js';
import { makeTempFolder, removeTempFolder } from './temp-folder.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of a database on the tests' PostgreSQL, with a role that may create others. */
    postgresUrl: string;
    redisUrl: string;
    /** Whether dist/ holds the present sources; why it does not was printed. */
    built: boolean;
  }
}

type CleanUp = () => Promise<void> | void;

/** One real PostgreSQL with a migrated template database, one real Redis and a fresh build, for all test files. */
export default async function setup(project: TestProject): Promise<CleanUp> {
  const cleanUps: CleanUp[] = [];
  const cleanUp = async () => {
    for (const each of cleanUps.splice(0).toReversed()) await each();
  };
  try {
    project.provide('built', build());
    project.provide('redisUrl', await redisUrl(cleanUps));
    const postgresUrl = await serverUrl(cleanUps);
    await createTemplate(postgresUrl, cleanUps);
    project.provide('postgresUrl', postgresUrl);
  } catch (error) {
    await cleanUp();
    throw error;
  }
  return cleanUp;
}

/** A failed build fails the tests that start the server and no others. */
function build(): boolean {
  const script = "import { isBuilt, prepare } from './scripts/prepare.mjs'; if (!isBuilt()) await prepare();";
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  return status === 0;
}

async function redisUrl(cleanUps: CleanUp[]): Promise<string> {
  const given = process.env['TEST_REDIS_URL'];
  if (given) return given;
  const redis = await TestRedis.start();
  cleanUps.push(() => redis.stop());
  return redis.url;
}

async function serverUrl(cleanUps: CleanUp[]): Promise<string> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given) return given;
  const dataDir = makeTempFolder('tests');
  cleanUps.push(() => removeTempFolder(dataDir));
  const postgres = await startEmbeddedPostgres({ dataDir });
  cleanUps.push(() => postgres.stop());
  return postgres.url;
}

async function createTemplate(server: string, cleanUps: CleanUp[]): Promise<void> {
  const drop = () => execute(server, `DROP DATABASE IF EXISTS ${TEMPLATE} WITH (FORCE)`);
  await drop();
  await execute(server, `CREATE DATABASE ${TEMPLATE}`);
  cleanUps.push(drop);
  await migrate(databaseUrl(server, TEMPLATE), { entities: [], migrations: MIGRATIONS });
  // A database somebody is connected to cannot be cloned.
  await execute(server, `ALTER DATABASE ${TEMPLATE} ALLOW_CONNECTIONS false`);
}

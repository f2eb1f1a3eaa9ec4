import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/index.js';
import { JsonLogger } from '../../src/platform/logging/index.js';
import { type RunningServer, startServer } from '../../src/start-server.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const operations = readFileSync(`${root}docs/operations.md`, 'utf8');
const rules = readFileSync(`${root}docs/prometheus-rules.yml`, 'utf8');

let database: TestDatabase;
let dataDir: string;
let server: RunningServer;
/** Names of the server's own metrics. */
let metrics: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = makeTempFolder('operations-docs');
  const config = loadConfig({
    NODE_ENV: 'test',
    PORT: '0',
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    ENCRYPTION_KEY: 'f'.repeat(64),
  });
  server = await startServer(config, new JsonLogger('silent'));
  const exposition = await (await fetch(`${server.url}/metrics`)).text();
  metrics = [...exposition.matchAll(/^# TYPE (holdfast_\w+) /gm)].map(([, name = '']) => name).toSorted();
});

afterAll(async () => {
  await server?.stop();
  await database?.drop();
  removeTempFolder(dataDir);
});

describe('docs/operations.md', () => {
  it('has every metric of the server in its table, and no other', () => {
    const documented = [...operations.matchAll(/^\| `(holdfast_\w+)` \|/gm)].map(([, name = '']) => name);
    expect(documented.toSorted()).toEqual(metrics);
  });

  it('explains every error code of the source, and no other', () => {
    const table = operations.slice(operations.indexOf('## Error codes'));
    const documented = [...table.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code = '']) => code);
    expect(documented.toSorted()).toEqual(errorCodes());
  });

  it('gives the few-rights role every table of the schema', async () => {
    const granted = operations.slice(operations.indexOf('CREATE ROLE'), operations.indexOf('and whatever the tables'));
    const missing = tablesOfMigrations().filter((table) => !new RegExp(`\\b${table}\\b`).test(granted));
    expect(missing).toEqual([]);
  });
});

describe('docs/prometheus-rules.yml', () => {
  it('asks for metrics that exist', () => {
    const used = [...rules.matchAll(/holdfast_\w+/g)].map(([name]) => name.replace(/_(?:count|sum|bucket)$/, ''));
    expect(used.filter((name) => !metrics.includes(name))).toEqual([]);
    expect(used.length).toBeGreaterThan(10);
  });

  it('has advice for each alert in docs/operations.md', () => {
    const alerts = [...rules.matchAll(/alert: Holdfast(\w+)/g)].map(([, name = '']) => name);
    expect(alerts.filter((name) => !new RegExp(`^\\| [^|]*\\b${name}\\b`, 'm').test(operations))).toEqual([]);
  });
});

/** `code` of every error class, and the codes of what Node, Fastify and Nest refuse. */
function errorCodes(): string[] {
  const codes = sources().flatMap((text) => [
    ...text.matchAll(/readonly code(?:: string)? = '([A-Z_]+)'/g),
    ...text.matchAll(/(?:\d{3}|code): '([A-Z]+_[A-Z_]+)'/g),
  ]);
  return [...new Set(codes.map(([, code = '']) => code))].toSorted();
}

function sources(): string[] {
  return ['src/kernel', 'src/platform', 'src/modules'].flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !/\.(?:spec|contract)\.ts$/.test(name))
      .map((name) => readFileSync(`${root}${folder}/${name}`, 'utf8')),
  );
}

function tablesOfMigrations(): string[] {
  const folder = `${root}migrations`;
  const tables = readdirSync(folder).flatMap((name) => {
    const created = readFileSync(`${folder}/${name}`, 'utf8').matchAll(/CREATE TABLE (\w+)/g);
    return [...created].map(([, table = '']) => table);
  });
  return [...tables, 'migrations'];
}

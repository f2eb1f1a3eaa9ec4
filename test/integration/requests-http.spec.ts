import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/index.js';
import { JsonLogger } from '../../src/platform/logging/index.js';
import { type RunningServer, startServer } from '../../src/start-server.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { RATE_LIMITS_OFF } from '../support/rate-limits-off.js';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.js';

const ADMIN_KEY = `hf_test_${'r'.repeat(40)}`;

interface HttpRequest {
  title: string;
  /** What the title promises. */
  statuses: number[];
  name: string | undefined;
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | undefined;
}

const requests = readRequests(readFileSync(new URL('../../requests.http', import.meta.url), 'utf8'));
/** Of the requests with a `@name`. */
const answers = new Map<string, unknown>();

let database: TestDatabase;
let dataDir: string;
let server: RunningServer;

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = makeTempFolder('requests-http');
  const config = loadConfig({
    NODE_ENV: 'test',
    PORT: '0',
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    ENCRYPTION_KEY: 'd'.repeat(64),
    PAYMENTS_RECONCILE_AT: 'off',
    BOOTSTRAP_API_KEY: ADMIN_KEY,
    ...RATE_LIMITS_OFF,
  });
  server = await startServer(config, new JsonLogger('silent'));
});

afterAll(async () => {
  await server?.stop();
  await database?.drop();
  removeTempFolder(dataDir);
});

describe('requests.http', () => {
  it.each(requests)('$title: $method $url', async ({ statuses, name, method, url, headers, body }) => {
    const filled = Object.entries(headers).map(([header, value]): [string, string] => [header, fill(value)]);
    const response = await fetch(fill(url), {
      method,
      headers: filled,
      ...(body !== undefined && { body: fill(body) }),
    });
    const text = await response.text();
    if (!statuses.includes(response.status))
      expect({ status: response.status, text }).toEqual({ status: statuses, text });
    if (name !== undefined) answers.set(name, JSON.parse(text));
  });

  it('has every route of the OpenAPI document', async () => {
    const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: Record<string, object> };
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
    );
    const missing = routes.filter(({ method, path }) => {
      const pattern = new RegExp(`^{{url}}${path.replace(/{\w+}/g, '[^/]+')}(\\?|$)`);
      return !requests.some((request) => request.method === method && pattern.test(request.url));
    });
    expect(missing).toEqual([]);
    expect(routes.length).toBeGreaterThan(20);
  });
});

/** `### <statuses> <title>`, an optional `# @name <name>`, the request line, headers, a blank line, the body. */
function readRequests(text: string): HttpRequest[] {
  const withoutComments = text.replace(/^#(?!##|.*@name).*\n/gm, '');
  return withoutComments
    .split(/^### /m)
    .slice(1)
    .map((block) => {
      const [head = '', ...rest] = block.trim().split('\n\n');
      const [title = '', ...lines] = head.split('\n');
      const name = /@name (\w+)/.exec(head)?.[1];
      const [requestLine = '', ...headerLines] = lines.filter((line) => !line.startsWith('#'));
      const [method = '', url = ''] = requestLine.split(' ');
      const headers = Object.fromEntries(headerLines.map((line) => line.split(': ')));
      const statuses = (title.split(' ')[0] ?? '').split('|').map(Number);
      return { title, statuses, name, method, url, headers, body: rest.length > 0 ? rest.join('\n\n') : undefined };
    });
}

/** Replaces `{{url}}`, `{{key}}` and `{{<name>.response.body.<field>}}`. */
function fill(text: string): string {
  return text.replace(/{{([\w.]+)}}/g, (_, expression: string) => {
    if (expression === 'url') return server.url;
    if (expression === 'key') return ADMIN_KEY;
    const [name = '', , , field = ''] = expression.split('.');
    const value = (answers.get(name) as Record<string, unknown> | undefined)?.[field];
    if (typeof value !== 'string') throw new Error(`${expression} is not known`);
    return value;
  });
}

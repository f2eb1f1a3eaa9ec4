import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, describe, expect, it } from '@jest/globals';
import { PLAIN_HTTP, trustProxies } from './trusted-proxies.js';

const apps: FastifyInstance[] = [];
afterAll(() => Promise.all(apps.map((app) => app.close())));

function appBehind(proxies: string[], requireHttps = false): FastifyInstance {
  const app = fastify();
  apps.push(app);
  trustProxies(app, proxies, { requireHttps });
  app.get('/ip', (request) => ({ ip: request.ip, again: request.ip }));
  app.get('/health', { config: PLAIN_HTTP }, () => 'live');
  return app;
}

const ask = (app: FastifyInstance, headers: Record<string, string>, remoteAddress = '10.0.0.1', url = '/ip') =>
  app.inject({ url, headers, remoteAddress });

describe('request.ip', () => {
  const app = appBehind(['10.0.0.0/8']);

  it.each([
    ['203.0.113.10:50001', '10.0.0.1', '203.0.113.10'],
    ['203.0.113.10', '::ffff:10.0.0.1', '203.0.113.10'],
    ['junk', '::ffff:10.0.0.1', '10.0.0.1'],
    ['203.0.113.10', '192.0.2.1', '192.0.2.1'],
    ['203.0.113.10', '::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ])('of "%s" from %s is %s', async (forwardedFor, remote, ip) => {
    expect((await ask(app, { 'x-forwarded-for': forwardedFor }, remote)).json()).toEqual({ ip, again: ip });
  });

  it('is the other end of the connection where no proxy is trusted', async () => {
    const { ip } = (await ask(appBehind([]), { 'x-forwarded-for': '203.0.113.10' })).json<{ ip: string }>();
    expect(ip).toBe('10.0.0.1');
  });
});

describe('What a proxy received by plain HTTP', () => {
  const app = appBehind(['10.0.0.0/8'], true);
  const statusOf = async (proto: string, remote?: string, url?: string, to = app) =>
    (await ask(to, { 'x-forwarded-proto': proto }, remote, url)).statusCode;

  it.each(['http', 'HTTP', 'https, http', 'https,http '])('is refused: X-Forwarded-Proto "%s"', async (proto) => {
    const answer = await ask(app, { 'x-forwarded-proto': proto });
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ code: 'HTTPS_REQUIRED' });
  });

  it.each(['https', 'http, https', '', 'wss'])('is another matter with X-Forwarded-Proto "%s"', async (proto) => {
    expect(await statusOf(proto)).toBe(200);
  });

  it('is not asked of who connects without a proxy, whatever the header says', async () => {
    expect(await statusOf('http', '192.0.2.1')).toBe(200);
    expect((await ask(app, {})).statusCode).toBe(200);
  });

  it('is answered on routes for the machines of the house, and on all where HTTPS is not required', async () => {
    expect(await statusOf('http', undefined, '/health')).toBe(200);
    expect(await statusOf('http', undefined, '/ip', appBehind(['10.0.0.0/8']))).toBe(200);
  });

  it('is refused before anything is looked for: also where there is nothing', async () => {
    expect(await statusOf('http', undefined, '/nothing')).toBe(403);
  });
});

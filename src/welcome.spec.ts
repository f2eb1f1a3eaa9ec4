import { expect, it } from '@jest/globals';
import type { Config } from './config/index.js';
import type { RunningServer } from './start-server.js';
import { welcome } from './welcome.js';

it('prints commands that reach this server, whatever port it has', () => {
  const config = { dataDir: '/srv/holdfast' } as Config;
  const server = { url: 'http://127.0.0.1:4123', adminKey: 'hf_live_x', embeddedDatabase: true } as RunningServer;
  const text = welcome(server, config);
  expect(text).toContain('npx holdfast send github ping --url http://127.0.0.1:4123\n');
  expect(text).toContain('curl -H "Authorization: Bearer hf_live_x" http://127.0.0.1:4123/api/webhook-events\n');
});

import { relative } from 'node:path';
import type { Config } from './config/index.js';
import { firstKeyPath } from './first-key.js';
import type { RunningServer } from './start-server.js';

/** What a person who has just started the server needs next. */
export function welcome(server: RunningServer, config: Config): string {
  const { url, adminKey } = server;
  const dataDir = relative(process.cwd(), config.dataDir) || '.';
  const key = adminKey ?? '<your API key>';
  const lines = [
    '',
    `  Holdfast is running at ${url}`,
    '',
    `    API docs    ${url}/docs   (${url}/openapi.json)`,
    `    Health      ${url}/health/ready`,
    `    Metrics     ${url}/metrics`,
    `    Webhooks    ${url}/webhooks/<source>`,
    `    Database    ${server.embeddedDatabase ? `embedded PostgreSQL, data in ${dataDir}/postgres` : 'DATABASE_URL'}`,
  ];
  if (adminKey !== null)
    lines.push(`    Admin key   ${adminKey}   (kept in ${relative(process.cwd(), firstKeyPath(config))})`);
  else if (!config.BOOTSTRAP_API_KEY)
    lines.push('    Admin key   make one: npx holdfast keys create --name admin --scopes admin');
  lines.push(
    '',
    '  Send a signed test event, then look at it:',
    '',
    `    npx holdfast send github ping --url ${url}`,
    `    curl -H "Authorization: Bearer ${key}" ${url}/api/webhook-events`,
    '',
    '',
  );
  return lines.join('\n');
}

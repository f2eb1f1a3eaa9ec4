import type { Command } from 'commander';
import { type ApiKeyRecord, ApiKeysService } from '../../modules/api-keys/index.js';
import { DatabaseClock } from '../../platform/clock/index.js';
import { withApplication } from '../application.js';
import { examples } from '../examples.js';
import { print } from '../output.js';
import type { Settings } from '../settings.js';
import { formatTable } from '../table.js';

const PAGE = 200;

export function registerList(keys: Command, settings: Settings): void {
  keys
    .command('list')
    .description('all API keys, newest first, revoked and expired ones too')
    .option('--json', 'for programs: an array of keys')
    .addHelpText('after', examples('keys list'))
    .action(({ json }: { json?: boolean }) => list(settings, json ?? false));
}

async function list(settings: Settings, json: boolean): Promise<void> {
  await withApplication(settings.config, async (app) => {
    const records = await all(app.get(ApiKeysService));
    const now = app.get(DatabaseClock).now();
    if (json) print(JSON.stringify(records, null, 2));
    else
      print(
        formatTable(
          HEADER,
          records.map((record) => row(record, now)),
        ),
      );
  });
}

async function all(service: ApiKeysService): Promise<ApiKeyRecord[]> {
  const records: ApiKeyRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await service.list(PAGE, cursor);
    records.push(...page.data);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return records;
}

const HEADER = ['ID', 'KEY', 'NAME', 'STATE', 'SCOPES', 'CREATED BY', 'LAST USED'];

function row(record: ApiKeyRecord, now: number): string[] {
  const { id, prefix, name, scopes, createdBy, lastUsedAt } = record;
  return [
    id,
    `${prefix}…`,
    name,
    state(record, now),
    scopes.join(','),
    createdBy,
    lastUsedAt?.toISOString() ?? 'never',
  ];
}

function state({ revokedAt, expiresAt }: ApiKeyRecord, now: number): string {
  if (revokedAt) return 'revoked';
  if (!expiresAt) return 'active';
  return expiresAt.getTime() <= now ? 'expired' : `until ${expiresAt.toISOString()}`;
}

import type { Command } from 'commander';
import { SourcesService } from '../modules/webhooks/index.js';
import { withApplication } from './application.js';
import { examples } from './examples.js';
import { print } from './output.js';
import type { Settings } from './settings.js';
import { formatTable } from './table.js';

type Source = Awaited<ReturnType<SourcesService['list']>>[number];

export function registerSources(sources: Command, settings: Settings): void {
  sources
    .command('list')
    .description('all sources, from the database itself; secrets are never shown')
    .option('--json', 'for programs: an array of sources')
    .addHelpText('after', examples('sources list'))
    .action(({ json }: { json?: boolean }) => list(settings, json ?? false));
}

async function list(settings: Settings, json: boolean): Promise<void> {
  await withApplication(settings.config, async (app) => {
    const sources = await app.get(SourcesService).list();
    print(json ? JSON.stringify(sources, null, 2) : formatTable(HEADER, sources.map(row)));
  });
}

const HEADER = ['NAME', 'PROVIDER', 'URL', 'SECRETS', 'MADE BY', 'PROCESSING', 'ORDERING', 'ADDRESSES'];

function row({ name, provider, url, secrets, origin, processing, ordering, allowedIps }: Source): string[] {
  const addresses = allowedIps.length > 0 ? allowedIps.join(',') : 'any';
  return [name, provider, url, String(secrets.length), origin, processing, ordering, addresses];
}

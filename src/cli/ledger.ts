import type { Command } from 'commander';
import { type IntegrityReport, LedgerIntegrity } from '../modules/ledger/index.js';
import { withApplication } from './application.js';
import { examples } from './examples.js';
import { print } from './output.js';
import type { Settings } from './settings.js';

export function registerLedger(ledger: Command, settings: Settings): void {
  ledger
    .command('verify')
    .description('check every invariant over the whole ledger in the database; exit code 1 when one is broken')
    .option('--json', 'for programs: the whole finding')
    .addHelpText('after', examples('ledger verify', 'ledger verify --json'))
    .action(({ json }: { json?: boolean }) => verify(settings, json ?? false));
}

async function verify(settings: Settings, json: boolean): Promise<void> {
  await withApplication(settings.config, async (app) => {
    const report = await app.get(LedgerIntegrity).check();
    print(json ? JSON.stringify(report, null, 2) : describe(report));
    if (!report.ok) process.exitCode = 1;
  });
}

function describe({ ok, accounts, entries, sumByCurrency, violations }: IntegrityReport): string {
  const sums = Object.entries(sumByCurrency).map(([currency, sum]) => `${currency} ${sum}`);
  const extent = `accounts: ${accounts}, entries: ${entries}, sum of all balances: ${sums.join(', ') || '0'}`;
  if (ok) return `The ledger holds; ${extent}`;
  const lines = violations.map(({ invariant, message, accounts: blamed, transfers }) => {
    const ids = [...blamed.map((id) => `account ${id}`), ...transfers.map((id) => `transfer ${id}`)];
    return `  ${invariant}: ${message}${ids.length === 0 ? '' : ` (${ids.join(', ')})`}`;
  });
  return [`The ledger does not hold; ${extent}`, ...lines].join('\n');
}

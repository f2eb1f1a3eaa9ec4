import type { Command } from 'commander';
import { DataSource } from 'typeorm';
import { type AuditVerification, AuditVerifier } from '../modules/audit/index.js';
import { requireKnownKey } from '../platform/encryption/index.js';
import { withApplication } from './application.js';
import { examples } from './examples.js';
import { print } from './output.js';
import type { Settings } from './settings.js';

export function registerAudit(audit: Command, settings: Settings): void {
  audit
    .command('verify')
    .description('check every line and checkpoint in the database; exit code 1 when one does not hold')
    .option('--json', 'for programs: the whole finding')
    .addHelpText('after', examples('audit verify', 'audit verify --json'))
    .action(({ json }: { json?: boolean }) => verify(settings, json ?? false));
}

async function verify(settings: Settings, json: boolean): Promise<void> {
  await withApplication(settings.config, async (app) => {
    await requireKnownKey(app.get(DataSource), settings.config);
    const finding = await app.get(AuditVerifier).verify();
    print(json ? JSON.stringify(finding, null, 2) : describe(finding));
    if (!finding.ok) process.exitCode = 1;
  });
}

function describe({ firstBadLine, lines, checkpoints, unsealed, lastHash }: AuditVerification): string {
  const counts = `lines: ${lines}, checkpoints: ${checkpoints}, not yet sealed: ${unsealed}`;
  if (firstBadLine) {
    const { sequence, reason } = firstBadLine;
    return `The audit log does not hold at line ${sequence}. ${reason}\nWhat holds before it: ${counts}`;
  }
  return `The audit log holds; ${counts}${lastHash === null ? '' : `\nLast hash: ${lastHash}`}`;
}

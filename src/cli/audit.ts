import type { Command } from 'commander';
import { type AuditVerification, AuditVerifier } from '../modules/audit/index.js';
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
    const finding = await app.get(AuditVerifier).verify();
    print(json ? JSON.stringify(finding, null, 2) : describe(finding));
    if (!finding.ok) process.exitCode = 1;
  });
}

function describe({ firstBadLine, lines, checkpoints, unsealed, lastHash }: AuditVerification): string {
  const held = `${lines} lines and ${checkpoints} checkpoints`;
  if (firstBadLine) {
    return `The audit log does not hold at line ${firstBadLine.sequence}. ${firstBadLine.reason} Before it hold ${held}.`;
  }
  const waiting = unsealed > 0 ? `, and ${unsealed} lines that wait to be sealed` : '';
  const hash = lastHash === null ? '' : `\nThe last hash is ${lastHash}`;
  return `The audit log holds: ${held}${waiting}.${hash}`;
}

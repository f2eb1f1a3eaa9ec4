import type { Command } from 'commander';
import { withDataSource } from '../../platform/database/index.js';
import { keyFingerprint, shownFingerprint } from '../../platform/encryption/index.js';
import { Metrics } from '../../platform/metrics/index.js';
import { READ_COMMITTED, Transactor } from '../../platform/transaction/index.js';
import { SCHEMA } from '../../schema.js';
import { operator } from '../application.js';
import { CliError } from '../cli.error.js';
import { examples } from '../examples.js';
import { print } from '../output.js';
import type { Settings } from '../settings.js';
import { withDatabase } from '../with-database.js';
import { type Keys, type Rotated, rotateEncryption } from './rotation.js';

export function registerRotate(encryption: Command, settings: Settings): void {
  encryption
    .command('rotate')
    .description(
      'seal everything anew with ENCRYPTION_KEY that was sealed with ENCRYPTION_KEY_PREVIOUS, all of it or nothing; no ' +
        'server may run meanwhile, and all need the new key afterwards',
    )
    .option('--lost', 'the former key is lost: what is sealed with it stays unreadable')
    .addHelpText('after', examples('encryption rotate', 'encryption rotate --lost'))
    .action(({ lost }: { lost?: boolean }) => rotate(settings, lost ?? false));
}

async function rotate(settings: Settings, lost: boolean): Promise<void> {
  const keys = readKeys(settings, lost);
  const rotated = await withDatabase(settings.config, (url) =>
    withDataSource(url, SCHEMA, (dataSource) =>
      new Transactor(dataSource, new Metrics()).run((tx) => rotateEncryption(tx, keys, operator()), READ_COMMITTED),
    ),
  );
  print([...describe(rotated, lost), `In force: ${shownFingerprint(keyFingerprint(keys.next))}`].join('\n'));
}

/** @throws CliError, ConfigError */
function readKeys({ environment, config }: Settings, lost: boolean): Keys {
  const { ENCRYPTION_KEY, encryptionKey: next } = config;
  if (ENCRYPTION_KEY === undefined) {
    throw new CliError('Set ENCRYPTION_KEY to the new key; make one with: openssl rand -hex 32');
  }
  const previous = environment['ENCRYPTION_KEY_PREVIOUS']?.trim() ?? '';
  if (lost) {
    if (previous === '') return { former: undefined, next };
    throw new CliError('ENCRYPTION_KEY_PREVIOUS is set, so the former key is not lost: leave --lost out.');
  }
  if (!/^[0-9a-fA-F]{64}$/.test(previous)) {
    throw new CliError(
      'Set ENCRYPTION_KEY_PREVIOUS to the key used until now, 64 hex digits, and ENCRYPTION_KEY to the new one. If the ' +
        'former is lost: npx holdfast encryption rotate --lost',
    );
  }
  const former = Buffer.from(previous, 'hex');
  if (former.equals(next)) throw new CliError('ENCRYPTION_KEY and ENCRYPTION_KEY_PREVIOUS are the same key.');
  return { former, next };
}

function describe(rotated: Rotated, lost: boolean): string[] {
  const { again, resealed, unreadable, limits, overridesLost, auditHolds } = rotated;
  return [
    again
      ? `This key was in force already; sealed anew: ${resealed}`
      : `Sealed anew: ${resealed}; limits of e-mail addresses carried over: ${limits}`,
    ...(unreadable > 0
      ? [
          `Unreadable, and left as they are: ${unreadable}. ` +
            (lost
              ? 'Give each source its secret again: POST /api/webhook-sources/<name>/secrets'
              : 'Neither key opens them; if a third one does, run this again with it as ENCRYPTION_KEY_PREVIOUS.'),
        ]
      : []),
    ...(overridesLost > 0
      ? [`Overrides of e-mail limits lost, for addresses without an account: ${overridesLost}. Set them again.`]
      : []),
    ...(auditHolds ? [] : ['The audit log does not verify from here on: nobody can vouch for the former key.']),
  ];
}

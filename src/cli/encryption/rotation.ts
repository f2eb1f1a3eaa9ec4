import type { EntityManager } from 'typeorm';
import { knownAddresses } from '../../modules/accounts/index.js';
import { AuditLog, vouchForFormerKey } from '../../modules/audit/index.js';
import { rekeyEmailLimits } from '../../modules/email-limits/index.js';
import type { RequestContext } from '../../platform/auth/index.js';
import { otherConnections } from '../../platform/database/index.js';
import {
  EmailHash,
  keyFingerprint,
  knownFingerprint,
  opensAny,
  replaceKnownKey,
  reseal,
  SecretBox,
  shownFingerprint,
} from '../../platform/encryption/index.js';
import { SEALED_COLUMNS } from '../../schema.js';
import { CliError } from '../cli.error.js';

export interface Keys {
  /** Undefined when it is lost. */
  former: Buffer | undefined;
  next: Buffer;
}

export interface Rotated {
  /** The next key was in force already: only what the former still opened was left to do. */
  again: boolean;
  resealed: number;
  /** Opened by neither, and left as they are. */
  unreadable: number;
  /** E-mail addresses whose limits were carried over. */
  limits: number;
  overridesLost: number;
  /** Whether the checkpoints of the audit log go on counting. */
  auditHolds: boolean;
}

/**
 * Everything that depends on `ENCRYPTION_KEY`, from one key to the next. In one transaction: before its commit nothing has
 * happened. Servers that start meanwhile wait, and find the next key in force.
 *
 * @throws CliError when the former key is not the one in force, or a server is running
 */
export async function rotateEncryption(tx: EntityManager, keys: Keys, by: RequestContext): Promise<Rotated> {
  const again = await isInForce(tx, keys);
  if (!again) await requireNobodyElse(tx);
  const next = new SecretBox(keys.next);
  // Without the former key the next one opens what it opens, and the rest is counted.
  const former = new SecretBox(keys.former ?? keys.next);
  const rotated: Rotated = { again, resealed: 0, unreadable: 0, limits: 0, overridesLost: 0, auditHolds: true };
  for (const column of SEALED_COLUMNS) {
    const { resealed, unreadable } = await reseal(tx, column, former, next);
    rotated.resealed += resealed;
    rotated.unreadable += unreadable;
  }
  if (again) return rotated;
  const [from, to] = [keys.former ?? keys.next, keys.next].map((encryptionKey) => new EmailHash({ encryptionKey }));
  if (from && to) {
    const { addresses, overridesLost } = await rekeyEmailLimits(tx, knownAddresses(tx), from, to);
    rotated.limits = addresses;
    rotated.overridesLost = overridesLost;
  }
  rotated.auditHolds = keys.former !== undefined && (await vouchForFormerKey(tx, keys.former, keys.next));
  await replaceKnownKey(tx, keys.next);
  const details = { ...rotated, fingerprint: shownFingerprint(keyFingerprint(keys.next)) };
  await new AuditLog().record(tx, [{ ...by, action: 'encryption_key.rotated', details }]);
  return rotated;
}

/** @returns whether the next key is in force already */
async function isInForce(tx: EntityManager, { former, next }: Keys): Promise<boolean> {
  const known = await knownFingerprint(tx, 'FOR UPDATE');
  if (known?.equals(keyFingerprint(next))) return true;
  if (former === undefined) return false;
  if (known === undefined) {
    if ((await opensAny(tx, SEALED_COLUMNS, new SecretBox(former))) !== false) return false;
    throw new CliError(
      'ENCRYPTION_KEY_PREVIOUS opens nothing of what is sealed in this database. Nothing was changed.',
    );
  }
  const given = keyFingerprint(former);
  if (known.equals(given)) return false;
  throw new CliError(
    `ENCRYPTION_KEY_PREVIOUS is not the key this database is used with (fingerprint ${shownFingerprint(known)}, not ` +
      `${shownFingerprint(given)}). Nothing was changed.`,
  );
}

async function requireNobodyElse(tx: EntityManager): Promise<void> {
  const others = await otherConnections(tx);
  if (others === 0) return;
  throw new CliError(
    `Holdfast is running (${others} connections to this database): stop every server and command first, they would ` +
      'go on with the former key. Nothing was changed.',
  );
}

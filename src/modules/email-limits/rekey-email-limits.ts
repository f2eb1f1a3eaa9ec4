import type { EntityManager } from 'typeorm';
import type { EmailAddress } from '../../kernel/email-address.js';
import type { EmailHash } from '../../platform/encryption/index.js';

/** Index: email_limits_pkey. */
const HASHES = `SELECT DISTINCT email_hash AS hash FROM email_limits`;

/** No index on the hash alone: once for each thousand addresses that have a limit, while nothing else runs. */
const REKEY = `
  UPDATE email_limits
  SET email_hash = address.next
  FROM unnest($1::bytea[], $2::bytea[]) AS address (former, next)
  WHERE email_hash = address.former`;

const REMOVE = `DELETE FROM email_limits WHERE email_hash = ANY ($1::bytea[]) RETURNING override_limit AS "limit"`;

const BATCH = 1000;

/** What became of the limits of single addresses. */
export interface RekeyedLimits {
  /** Addresses whose counts and overrides are found under the next key. */
  addresses: number;
  /** Overrides of addresses that nobody has an account with: nothing tells whose they are, and they are gone. */
  overridesLost: number;
}

/**
 * After a rotation of `ENCRYPTION_KEY` the hashes of before stand for nobody. Those of the given addresses are replaced; the
 * others are removed, since no look-up finds them again.
 */
export async function rekeyEmailLimits(
  tx: EntityManager,
  addresses: AsyncIterable<readonly EmailAddress[]>,
  former: EmailHash,
  next: EmailHash,
): Promise<RekeyedLimits> {
  const rows = await tx.query<{ hash: Buffer }[]>(HASHES);
  const unknown = new Set(rows.map(({ hash }) => hash.toString('hex')));
  const known: EmailAddress[] = [];
  if (unknown.size > 0) {
    for await (const page of addresses) {
      known.push(...page.filter((address) => unknown.delete(former.of(address).toString('hex'))));
      if (unknown.size === 0) break;
    }
  }
  for (let at = 0; at < known.length; at += BATCH) {
    const batch = known.slice(at, at + BATCH);
    await tx.query(REKEY, [batch.map((address) => former.of(address)), batch.map((address) => next.of(address))]);
  }
  const hashes = [...unknown].map((hex) => Buffer.from(hex, 'hex'));
  const [removed] = await tx.query<[{ limit: number | null }[], number]>(REMOVE, [hashes]);
  return { addresses: known.length, overridesLost: removed.filter(({ limit }) => limit !== null).length };
}

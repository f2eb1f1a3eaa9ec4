import type { EntityManager } from 'typeorm';
import type { EmailAddress } from '../../../kernel/email-address.js';

/** Indexes: users_email_key, registrations_email_idx. */
const PAGE = `
  SELECT email FROM (
    (SELECT email FROM users WHERE $1::text IS NULL OR email > $1 ORDER BY email LIMIT $2)
    UNION
    (SELECT email FROM registrations WHERE $1::text IS NULL OR email > $1 ORDER BY email LIMIT $2)
  ) AS known
  ORDER BY email
  LIMIT $2`;

const PAGE_SIZE = 1000;

/** Every address that has an account or waits for one, each once, page by page. */
export async function* knownAddresses(tx: EntityManager): AsyncGenerator<readonly EmailAddress[]> {
  let after: EmailAddress | null = null;
  for (;;) {
    const rows: { email: EmailAddress }[] = await tx.query<{ email: EmailAddress }[]>(PAGE, [after, PAGE_SIZE]);
    if (rows.length > 0) yield rows.map(({ email }) => email);
    after = rows.at(-1)?.email ?? null;
    if (rows.length < PAGE_SIZE) return;
  }
}

/** NUL, which PostgreSQL refuses in text and jsonb, and halves of a surrogate pair, which are no Unicode text. */
const UNSTORABLE = /[\0\p{Surrogate}]/gu;

/**
 * Text that PostgreSQL surely takes: what it would refuse becomes U+FFFD, what is over `maxLength` UTF-16 code units
 * is cut. An audit line must never fail the transaction it belongs to.
 */
export function storableText(text: string, maxLength: number): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
  return cut.replace(UNSTORABLE, '\uFFFD');
}

/** Who a mail is from: the name readers see, and the address. */
export interface Mailbox {
  /** Empty when there is none. */
  readonly name: string;
  readonly address: string;
}

const ADDRESS = `[\\w.!#$%&'*+/=?^\`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?`;
/** RFC 5322, section 3.4, as people write it: `Name <address>`, the name in quotes or not, or the address alone. */
const MAILBOX = new RegExp(`^(?:(?:"([^"<>\\p{Cc}]*)"|([^"<>\\p{Cc}]*?))\\s*<(${ADDRESS})>|(${ADDRESS}))$`, 'u');

/**
 * Reads `Holdfast <no-reply@example.com>` or `no-reply@example.com`. A host without a dot is one: `no-reply@localhost`.
 *
 * @returns undefined when it is neither
 */
export function parseMailbox(text: string): Mailbox | undefined {
  const found = MAILBOX.exec(text.trim());
  const address = found?.[3] ?? found?.[4];
  return address === undefined ? undefined : { name: (found?.[1] ?? found?.[2] ?? '').trim(), address };
}

import { domainToASCII, domainToUnicode } from 'node:url';

declare const EMAIL_ADDRESS: unique symbol;

/** An address in the one form it is compared, limited and stored in: `emailAddress` makes it. */
export type EmailAddress = string & { readonly [EMAIL_ADDRESS]: true };

/** Octets (RFC 5321, sections 4.5.3.1.1 and 4.5.3.1.3: a path is 256 with its angle brackets). */
const MAX_LOCAL = 64;
const MAX_WHOLE = 254;

/** Characters of what callers send: decomposed letters fold to fewer, but normalising megabytes would be work for nothing. */
const MAX_TEXT = 1024;

/** A dot-atom (RFC 5322, section 3.2.3) with the letters of RFC 6531: no quotes, comments, spaces or invisible characters. */
const LOCAL = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;

/** `domainToASCII` parses a URL: it would decode `%41`, cut off `/path` and `:80`. Of ASCII only what names hosts may reach it. */
const HOST_CHARACTERS = /^[a-z0-9.\u0080-\u{10ffff}-]+$/u;

/** Two labels or more (RFC 1035, section 2.3.4), the last not a number, which also leaves out IP addresses (RFC 3696, section 2). */
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9])$/;

/**
 * The address in the form it is compared, limited and stored in: NFKC, lower case, the domain in ASCII (UTS #46), so
 * that `Ａnna@BÜCHER.example` and `anna@xn--bcher-kva.example` are one. Normalising twice changes nothing. What single
 * providers ignore (dots, `+tags`) stays: to others it is another mailbox.
 *
 * @returns undefined when it is no address that mail could be sent to
 */
export function emailAddress(text: string): EmailAddress | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const [local = '', host = '', ...more] = text.normalize('NFKC').toLowerCase().normalize('NFKC').split('@');
  if (more.length > 0 || !LOCAL.test(local) || Buffer.byteLength(local) > MAX_LOCAL) return undefined;
  const domain = HOST_CHARACTERS.test(host) ? domainToASCII(host) : '';
  if (domain.includes('xn--') && !standsForSomething(domain)) return undefined;
  const address = `${local}@${domain}`;
  return DOMAIN.test(domain) && isNormal(address) ? address : undefined;
}

/** Newer versions of Node let punycode pass without decoding it: it must come to letters, and they back to it. */
function standsForSomething(domain: string): boolean {
  const letters = domainToUnicode(domain);
  return !letters.includes('xn--') && domainToASCII(letters) === domain;
}

/** The last of the rules, and what tells the compiler that they all hold. */
function isNormal(address: string): address is EmailAddress {
  return Buffer.byteLength(address) <= MAX_WHOLE;
}

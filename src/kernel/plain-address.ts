import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';
import { AddressList } from './address-list.js';

/**
 * An IP address in the one form it is compared and stored in: without its zone, and a v4 one that came mapped (`::ffff:192.0.2.1`)
 * as such.
 *
 * @returns undefined for what is none
 */
export function plainAddress(text: string): string | undefined {
  const [address = ''] = text.split('%', 1);
  return isIP(address) === 0 ? undefined : ipaddr.process(address).toString();
}

/**
 * An address or a CIDR range in the form that PostgreSQL's `inet` reads, and finds plain addresses in.
 *
 * @throws RangeError for what is neither, as `AddressList.parse`
 */
export function plainRange(text: string): string {
  const [address = ''] = text.split('/', 1);
  // Stricter than a list of addresses: neither a zone, which means nothing elsewhere, nor `010.0.0.1`, which some read as 8.0.0.1.
  if (isIP(address) === 0 || address.includes('%'))
    throw new RangeError(`"${text}" is neither an IP address nor a CIDR range such as 192.0.2.0/24`);
  AddressList.parse([text]);
  if (!text.includes('/')) return ipaddr.process(text).toString();
  const [base, bits] = ipaddr.parseCIDR(text);
  return base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress() && bits >= 96
    ? `${base.toIPv4Address().toString()}/${bits - 96}`
    : `${base.toString()}/${bits}`;
}

import ipaddr from 'ipaddr.js';

const MAX_REMEMBERED = 10_000;
/** Reading an IPv6 address costs a few microseconds; the same ones come again. */
const remembered = new Map<string, string>();

/** Who a request without a credential is counted for: its address, of IPv6 the /64, which is one customer. */
export function addressSubject(ip: string): string {
  return `ip:${networkOf(ip)}`;
}

/** @returns an IPv4 address as it is, also a mapped one; of IPv6 the first address of the /64; else `unknown` */
export function networkOf(ip: string): string {
  if (!ip.includes(':')) return ip;
  const known = remembered.get(ip);
  if (known !== undefined) return known;
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  const network = read(ip);
  remembered.set(ip, network);
  return network;
}

function read(ip: string): string {
  if (!ipaddr.isValid(ip)) return 'unknown';
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return address.toString();
  return ipaddr.fromByteArray([...address.toByteArray().slice(0, 8), ...Array<number>(8).fill(0)]).toString();
}

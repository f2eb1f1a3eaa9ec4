import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

const PORT = /^\d{1,5}$/;

/**
 * Who sent a request, told by the chain of proxies it came through: `X-Forwarded-For` is read from its end for as long as
 * a trusted proxy wrote what stands there. What is no address ends the walk, and the one that wrote it is the client: so
 * the answer is an address whatever a sender makes up, and never one of his choice.
 *
 * @param remote the other end of the connection, a plain address
 * @param forwardedFor as received; several fields joined by commas, as Node does
 */
export function clientAddress(remote: string, forwardedFor: string, isTrusted: (address: string) => boolean): string {
  let client = remote;
  let end = forwardedFor.length;
  while (end > 0 && isTrusted(client)) {
    const comma = forwardedFor.lastIndexOf(',', end - 1);
    const hop = forwardedFor.slice(comma + 1, end).trim();
    end = comma;
    // An empty element of a list means nothing (RFC 9110, section 5.6.1.2).
    if (hop === '') continue;
    const address = plainAddress(hop);
    if (address === undefined) break;
    client = address;
  }
  return client;
}

/**
 * The address in what a proxy calls one: `203.0.113.10:50001` (Azure Application Gateway), `[2001:db8::1]:443`,
 * `::ffff:203.0.113.10`, `fe80::1%eth0`.
 *
 * @returns one spelling for each address, without port, brackets and zone, IPv4 as IPv4; undefined for anything else
 */
export function plainAddress(text: string): string | undefined {
  const host = withoutPort(text);
  if (host === undefined) return undefined;
  const zone = host.indexOf('%');
  const address = zone === -1 ? host : host.slice(0, zone);
  const version = isIP(address);
  if (version === 4) return address;
  return version === 6 ? ipaddr.process(address).toString() : undefined;
}

/** Of IPv6 a port needs the brackets: without them it could be a part of the address. */
function withoutPort(text: string): string | undefined {
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    const rest = text.slice(end + 1);
    return end !== -1 && (rest === '' || isPort(rest)) ? text.slice(1, end) : undefined;
  }
  const colon = text.indexOf(':');
  if (colon === -1 || text.includes(':', colon + 1)) return text;
  return isPort(text.slice(colon)) ? text.slice(0, colon) : undefined;
}

function isPort(text: string): boolean {
  return text.startsWith(':') && PORT.test(text.slice(1));
}

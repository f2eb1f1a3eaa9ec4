import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';

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

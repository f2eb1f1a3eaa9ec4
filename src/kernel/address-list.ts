import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** CIDR ranges, v4 and v6. A v4 address is judged as v4 even when it arrives mapped (`::ffff:192.0.2.1`). */
export class AddressList {
  private constructor(private readonly ranges: readonly Range[]) {}

  /**
   * @param entries `192.0.2.0/24`, `2001:db8::/32`, or a single address
   * @throws RangeError naming the entry that is neither
   */
  static parse(entries: readonly string[]): AddressList {
    return new AddressList(entries.map(parseEntry));
  }

  includes(address: string): boolean {
    // Stricter than ipaddr.js, which would also read `0300.0.2.7`, as another address than most do.
    if (isIP(address) === 0) return false;
    const ip = ipaddr.process(address);
    return this.ranges.some(([base, bits]) => ip.kind() === base.kind() && ip.match(base, bits));
  }
}

function parseEntry(entry: string): Range {
  const single = !entry.includes('/');
  // Four decimal parts only: `010.1` and its kin mean different addresses to different readers.
  const strict = entry.includes(':') || /^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/.test(entry);
  if (!strict || (single ? !ipaddr.isValid(entry) : !ipaddr.isValidCIDR(entry))) {
    throw new RangeError(`"${entry}" is neither an IP address nor a CIDR range such as 192.0.2.0/24`);
  }
  if (single) {
    const ip = ipaddr.process(entry);
    return [ip, ip.kind() === 'ipv4' ? 32 : 128];
  }
  const [base, bits] = ipaddr.parseCIDR(entry);
  return base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress() && bits >= 96
    ? [base.toIPv4Address(), bits - 96]
    : [base, bits];
}

import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { AddressList } from '../../kernel/address-list.js';

/** What `WEBHOOK_ALLOW_PRIVATE_TARGETS` opens: this machine and its local network (RFC 1918, RFC 4193). Not link-local. */
const PRIVATE = ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1', 'fc00::/7'];

/**
 * Where clouds hand out credentials to whoever asks from the inside. Some are in ranges that may well be allowed, and Azure's
 * is a public one.
 */
const METADATA = AddressList.parse(
  [
    // AWS and most others: instances, containers, pods, resolver, clock
    '169.254.169.254 169.254.170.2 169.254.170.23 169.254.169.253 169.254.169.123',
    'fd00:ec2::254 fd00:ec2::23 fd00:ec2::253 fd00:ec2::123',
    // Google, OpenStack, Azure, Alibaba, Oracle, Tencent, Scaleway
    'fd20:ce::254 fe80::a9fe:a9fe 168.63.129.16 100.100.100.200 192.0.0.192 169.254.0.23 169.254.42.42 fd00:42::42',
  ].flatMap((line) => line.split(' ')),
);

/** IANA has given out nothing else of IPv6 to hosts of the internet (RFC 4291, section 2.4; RFC 3587). */
const GLOBAL_UNICAST = AddressList.parse(['2000::/3']);

/** RFC 6052: behind this prefix lies the IPv4 address in the last 32 bits. */
const NAT64 = AddressList.parse(['64:ff9b::/96']);

/** IPv6 that leads to IPv4 by ways only the network knows: never allowed, since it could lead anywhere. */
const TUNNELS = AddressList.parse(['::/96', '::ffff:0:0:0/96', '64:ff9b:1::/48', '2001::/32', '2002::/16']);

/** Which addresses a URL that somebody else gave us may lead to. */
export class TargetAddresses {
  private readonly allowed: AddressList;
  private readonly named: AddressList;

  /**
   * @param allowPrivate loopback and private ranges, as a developer needs
   * @param ranges addresses and CIDR ranges that are allowed besides the public ones
   */
  constructor(allowPrivate: boolean, ranges: readonly string[]) {
    this.allowed = AddressList.parse([...(allowPrivate ? PRIVATE : []), ...ranges]);
    this.named = AddressList.parse(ranges.filter((range) => !range.includes('/')));
  }

  /** Addresses of metadata services only where they are named one by one: no range that holds them, and no switch, implies them. */
  permit(address: string): boolean {
    if (isIP(address) === 0) return false;
    if (METADATA.includes(address)) return this.named.includes(address);
    if (!this.allowed.includes(address)) return isPublic(address);
    if (NAT64.includes(address)) return this.permit(lastFourBytes(address));
    return isLoopback(address) || !TUNNELS.includes(address);
  }
}

/** By IANA's registries of special addresses, which ipaddr.js follows. */
function isPublic(address: string): boolean {
  const ip = ipaddr.parse(address);
  return ip.range() === 'unicast' && (ip.kind() === 'ipv4' || GLOBAL_UNICAST.includes(address));
}

function isLoopback(address: string): boolean {
  return ipaddr.process(address).range() === 'loopback';
}

function lastFourBytes(address: string): string {
  return ipaddr.fromByteArray(ipaddr.parse(address).toByteArray().slice(-4)).toString();
}

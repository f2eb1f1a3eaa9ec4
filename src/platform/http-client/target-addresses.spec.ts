import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { TargetAddresses } from './target-addresses.js';

const PUBLIC_ONLY = new TargetAddresses(false, []);
const DEVELOPMENT = new TargetAddresses(true, []);

const PRIVATE = words(
  '127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 ::1 fc00::1 fdff:ffff::1',
  '::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:c0a8:101',
);

/** IANA's registries of special-purpose addresses (IPv4 and IPv6), multicast, and what is not given out. */
const NOT_OF_THE_INTERNET = words(
  '0.0.0.0 0.255.255.255 100.64.0.1 100.127.255.255 169.254.0.1 169.254.255.255',
  '192.0.0.1 192.0.0.170 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.175.48.1',
  '198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255',
  '240.0.0.1 255.255.255.254 255.255.255.255',
  ':: ::2 ::7f00:1 ::8.8.8.8 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::8.8.8.8',
  '64:ff9b::7f00:1 64:ff9b:1::8.8.8.8 100::1 100:0:0:1::1 2001::1 2001:2::1 2001:3::1',
  '2001:4:112::1 2001:10::1 2001:20::1 2001:30::1 2001:db8::1 2002:808:808::1 2002:7f00:1::',
  '2620:4f:8000::1 3fff::1 4000::1 5f00::1 8000::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1',
);

const METADATA = words(
  '169.254.169.254 169.254.170.2 100.100.100.200 192.0.0.192 168.63.129.16 ::ffff:169.254.169.254',
  'fd00:ec2::254 fd00:0ec2:0000::0254 fd20:ce::254 fe80::a9fe:a9fe',
);

const NO_ADDRESS = [
  '',
  'localhost',
  '0177.0.0.1',
  '0x7f.0.0.1',
  '127.1',
  '2130706433',
  '8.8.8.8 ',
  '8.8.8.8/32',
  '[::1]',
];

const v4 = fc.tuple(...Array.from({ length: 4 }, () => fc.nat(255))).map((bytes) => bytes.join('.'));
const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => ipaddr.fromByteArray([...bytes]).toString());

describe('the addresses a public target may have', () => {
  it.each(['1.1.1.1', '8.8.8.8', '100.63.255.255', '100.128.0.0', '172.32.0.1', '192.0.1.1', '223.255.255.255'])(
    'are those of the internet: %s',
    (address) => {
      expect(PUBLIC_ONLY.permit(address)).toBe(true);
    },
  );

  it.each(['2001:4860:4860::8888', '2606:4700:4700::1111', '2400::1', '2a00::1'])(
    'are those of the internet: %s',
    (address) => {
      expect(PUBLIC_ONLY.permit(address)).toBe(true);
    },
  );

  it.each([...PRIVATE, ...NOT_OF_THE_INTERNET, ...METADATA, ...NO_ADDRESS])('are no others: "%s"', (address) => {
    expect(PUBLIC_ONLY.permit(address)).toBe(false);
  });

  it('are none that hide an IPv4 address in IPv6, whatever address that is', () => {
    fc.assert(
      fc.property(v4, fc.constantFrom('::', '::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::'), (address, prefix) => {
        expect(PUBLIC_ONLY.permit(prefix + address)).toBe(false);
      }),
    );
  });

  it('are in 2000::/3, if they are IPv6', () => {
    fc.assert(
      fc.property(v6, (address) => {
        if (PUBLIC_ONLY.permit(address)) expect(ipaddr.parse(address).toByteArray()[0]! >> 5).toBe(1);
      }),
    );
  });
});

describe('WEBHOOK_ALLOW_PRIVATE_TARGETS', () => {
  it.each(PRIVATE)('allows %s', (address) => {
    expect(DEVELOPMENT.permit(address)).toBe(true);
  });

  it.each([...NOT_OF_THE_INTERNET, ...METADATA, ...NO_ADDRESS])('does not allow "%s"', (address) => {
    expect(DEVELOPMENT.permit(address)).toBe(false);
  });

  it('takes nothing away', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), (address) => {
        if (PUBLIC_ONLY.permit(address)) expect(DEVELOPMENT.permit(address)).toBe(true);
      }),
    );
  });
});

describe('WEBHOOK_ALLOWED_PRIVATE_CIDRS', () => {
  it('allows what is in it, and nothing beside it', () => {
    const addresses = new TargetAddresses(false, ['10.1.0.0/16', 'fd12::/16', '192.168.7.7']);
    const permitted = (list: string[]) => list.filter((address) => addresses.permit(address));
    const inside = words('10.1.2.3 ::ffff:10.1.2.3 fd12::1 192.168.7.7 8.8.8.8');
    expect(permitted(inside)).toEqual(inside);
    expect(permitted(words('10.2.0.1 fd13::1 192.168.7.8 127.0.0.1'))).toEqual([]);
  });

  it.each(METADATA)('does not imply %s by any range, with the switch or without', (address) => {
    const ranges = ['0.0.0.0/0', '::/0', '169.254.0.0/16', '169.254.169.254/32', 'fd00:ec2::254/128'];
    expect(new TargetAddresses(false, ranges).permit(address)).toBe(false);
    expect(new TargetAddresses(true, ranges).permit(address)).toBe(false);
  });

  it.each(METADATA)('allows %s where it is named by itself', (address) => {
    expect(new TargetAddresses(false, [address]).permit(address)).toBe(true);
    expect(new TargetAddresses(false, ['169.254.169.253']).permit(address)).toBe(false);
  });

  it('of NAT64 allows what lies behind it as if there were none', () => {
    const behind = new TargetAddresses(false, ['64:ff9b::/96', '10.1.0.0/16']);
    expect(behind.permit('64:ff9b::8.8.8.8')).toBe(true);
    expect(behind.permit('64:ff9b::10.1.0.1')).toBe(true);
    expect(behind.permit('64:ff9b::10.2.0.1')).toBe(false);
    expect(behind.permit('64:ff9b::127.0.0.1')).toBe(false);
    expect(behind.permit('64:ff9b::169.254.169.254')).toBe(false);
  });

  it.each(['::8.8.8.8', '::ffff:0:8.8.8.8', '64:ff9b:1::a9fe:a9fe', '2001::1', '2002:a9fe:a9fe::'])(
    'opens no tunnel that leads to IPv4: %s',
    (address) => {
      expect(new TargetAddresses(true, ['::/0']).permit(address)).toBe(false);
    },
  );
});

function words(...lines: string[]): string[] {
  return lines.flatMap((line) => line.split(' '));
}

import fc from 'fast-check';
import { isIP } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { AddressList } from '../../kernel/address-list.js';
import { clientAddress, plainAddress } from './client-address.js';

const PROXY = '10.0.0.1';
const proxies = AddressList.parse(['10.0.0.0/8', 'fd00::/8']);
const clientOf = (forwardedFor: string, remote = PROXY) =>
  clientAddress(remote, forwardedFor, (address) => proxies.includes(address));

describe('plainAddress', () => {
  it.each([
    ['203.0.113.10', '203.0.113.10'],
    ['203.0.113.10:50001', '203.0.113.10'],
    ['[203.0.113.10]:50001', '203.0.113.10'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['2001:0DB8:0000::0001', '2001:db8::1'],
    ['::ffff:203.0.113.10', '203.0.113.10'],
    ['::FFFF:cb00:710a', '203.0.113.10'],
    ['[::ffff:203.0.113.10]:443', '203.0.113.10'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%eth0]:443', 'fe80::1'],
  ])('reads %s as %s', (text, address) => expect(plainAddress(text)).toBe(address));

  it.each([
    '',
    'unknown',
    '_hidden',
    'localhost:3000',
    '203.0.113',
    '203.0.113.256',
    '0300.0.2.7',
    '203.0.113.10:',
    '203.0.113.10:http',
    '203.0.113.10:123456',
    '203.0.113.10:1:2',
    ':50001',
    '[2001:db8::1',
    '2001:db8::1]:443',
    '[2001:db8::1]443',
    '[]:443',
    '"203.0.113.10"',
    '%eth0',
  ])('finds no address in "%s"', (text) => expect(plainAddress(text)).toBeUndefined());
});

describe('clientAddress', () => {
  it.each([
    ['', PROXY],
    ['203.0.113.10', '203.0.113.10'],
    ['203.0.113.10:50001', '203.0.113.10'],
    ['198.51.100.1, 203.0.113.10', '203.0.113.10'],
    ['203.0.113.10, 10.0.0.2', '203.0.113.10'],
    ['203.0.113.10:1,10.0.0.2:2,[fd00::1]:3', '203.0.113.10'],
    [' ,203.0.113.10, ,', '203.0.113.10'],
    ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['::ffff:10.0.0.2', '10.0.0.2'],
    ['::ffff:203.0.113.10', '203.0.113.10'],
  ])('finds in "%s" the last hop that no trusted proxy is: %s', (header, client) => {
    expect(clientOf(header)).toBe(client);
  });

  it.each([
    ['junk', PROXY],
    ['203.0.113.10, junk', PROXY],
    ['203.0.113.10, unknown, 10.0.0.2', '10.0.0.2'],
    ['203.0.113.10, junk, 198.51.100.1', '198.51.100.1'],
  ])('takes the one that wrote what is no address in "%s" for the client: %s', (header, client) => {
    expect(clientOf(header)).toBe(client);
  });

  it('believes nobody that is not trusted', () => {
    expect(clientOf('203.0.113.10', '192.0.2.1')).toBe('192.0.2.1');
  });

  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  const hop = fc.oneof(
    address,
    fc.tuple(fc.ipV4(), fc.nat(65_535)).map(([ip, port]) => `${ip}:${port}`),
    fc.tuple(fc.ipV6(), fc.nat(65_535)).map(([ip, port]) => `[${ip}]:${port}`),
    fc.constant('10.0.0.2'),
    fc.string(),
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.[]%, ') }),
  );
  const header = fc.array(hop).map((hops) => hops.join(','));

  it('is an address, whatever the header says', () => {
    fc.assert(
      fc.property(header, (text) => {
        const client = clientOf(text);
        expect(isIP(client)).not.toBe(0);
        expect(plainAddress(client)).toBe(client);
      }),
    );
  });

  it('cannot be chosen by who writes before the last hop', () => {
    fc.assert(
      fc.property(header, address, (text, last) => {
        fc.pre(!proxies.includes(last));
        expect(clientOf(`${text},${last}`)).toBe(clientOf(last));
      }),
    );
  });

  it('is the same for all that is no address', () => {
    fc.assert(
      fc.property(header, fc.string(), (text, junk) => {
        fc.pre(!junk.includes(',') && junk.trim() !== '' && plainAddress(junk.trim()) === undefined);
        expect(clientOf(`${text},${junk}`)).toBe(PROXY);
      }),
    );
  });
});

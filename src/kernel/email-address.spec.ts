import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { emailAddress } from './email-address.js';

/** Of addresses as people have them, and of text near them. */
const address = fc.emailAddress({ size: 'medium' });
const nearly = fc
  .array(fc.constantFrom(...'aZ0.@-+_ß＠．ｅÉ\u0301\u2126İςΣ。\u200d \u00ad"(%/:'), { maxLength: 30 })
  .map((parts) => parts.join(''));
const text = fc.oneof(address, nearly, fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));

describe('emailAddress', () => {
  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(text, (given) => {
        const once = emailAddress(given);
        fc.pre(once !== undefined);
        expect(emailAddress(once ?? '')).toBe(once);
      }),
    );
  });

  it('makes nothing but a dot-atom, one @ and a host in ASCII', () => {
    fc.assert(
      fc.property(text, (given) => {
        const made = emailAddress(given);
        if (made === undefined) return;
        expect(made).toMatch(/^[^\s@"(),:;<>[\\\]\p{C}]{1,64}@[a-z0-9][a-z0-9.-]*\.[a-z0-9-]*[a-z0-9]$/u);
        expect(Buffer.byteLength(made)).toBeLessThanOrEqual(254);
      }),
    );
  });

  it('takes every ordinary address, whatever its case', () => {
    fc.assert(
      fc.property(address, (given) => {
        fc.pre(given.length <= 254);
        expect(emailAddress(given)).toBe(given.toLowerCase());
        expect(emailAddress(given.toUpperCase())).toBe(given.toLowerCase());
      }),
    );
  });

  it.each([
    ['case', 'Anna.Berg@Example.COM', 'anna.berg@example.com'],
    ['full width', 'ａｎｎａ＠ｅｘａｍｐｌｅ．ｃｏｍ', 'anna@example.com'],
    ['a ligature', 'o\ufb03ce@example.com', 'office@example.com'],
    ['a decomposed letter', 'e\u0301va@example.com', '\u00e9va@example.com'],
    ['a decomposed letter in upper case', 'E\u0301VA@example.com', '\u00e9va@example.com'],
    ['a capital of mathematics', '\u{1d400}nna@example.com', 'anna@example.com'],
    ['a letter that is composed in lower case only', 'H\u0331@example.com', '\u1e96@example.com'],
    ['a domain with an umlaut', 'anna@b\u00fccher.example', 'anna@xn--bcher-kva.example'],
    ['a domain with an umlaut, decomposed, in upper case', 'anna@BU\u0308CHER.EXAMPLE', 'anna@xn--bcher-kva.example'],
    ['a domain with an ideographic full stop', 'anna@\u4f8b\u3002jp', 'anna@xn--fsq.jp'],
    ['a top-level domain that is not Latin', 'anna@\u4f8b.\u516c\u53f8', 'anna@xn--fsq.xn--55qx5d'],
    ['a soft hyphen in the domain', 'anna@exa\u00admple.com', 'anna@example.com'],
  ])('folds %s', (_, given, folded) => {
    expect(emailAddress(given)).toBe(folded);
    expect(emailAddress(folded)).toBe(folded);
  });

  it.each([
    ['a tag', 'anna+news@example.com'],
    ['dots', 'a.n.n.a@gmail.com'],
    ['the sharp s of another mailbox', 'stra\u00dfe@example.com'],
    ['every character of a dot-atom', "!#$%&'*+-/=?^_`{|}~@example.com"],
    ['64 octets before the @', `${'a'.repeat(64)}@example.com`],
    ['254 octets', `${'a'.repeat(64)}@${`${'b'.repeat(60)}.`.repeat(3)}com.org`.slice(0, 254)],
    ['a label of 63 octets', `anna@${'b'.repeat(63)}.example`],
  ])('keeps %s', (_, given) => expect(emailAddress(given)).toBe(given));

  it.each([
    ['nothing', ''],
    ['no @', 'anna.example.com'],
    ['two @', 'anna@berg@example.com'],
    ['an @ after the domain', 'anna@example.com@berg.example'],
    ['an @ of full width beside one', 'anna＠berg@example.com'],
    ['nothing before the @', '@example.com'],
    ['nothing after it', 'anna@'],
    ['a space around it', ' anna@example.com'],
    ['a space within', 'an na@example.com'],
    ['an ideographic space', 'an\u3000na@example.com'],
    ['a line break, which would be another header', 'anna@example.com\r\nBcc: eve@example.com'],
    ['a NUL', 'an\0na@example.com'],
    ['a delete character', 'an\x7fna@example.com'],
    ['a zero-width space', 'an\u200bna@example.com'],
    ['a change of direction', 'an\u202ena@example.com'],
    ['a lone surrogate', 'an\ud800na@example.com'],
    ['a quoted part', '"anna berg"@example.com'],
    ['a comment', 'anna(berg)@example.com'],
    ['a name around it', 'Anna <anna@example.com>'],
    ['two addresses', 'anna@example.com,eve@example.com'],
    ['a dot at the start', '.anna@example.com'],
    ['a dot at the end', 'anna.@example.com'],
    ['two dots', 'an..na@example.com'],
    ['two dots in the domain', 'anna@example..com'],
    ['a dot after the domain', 'anna@example.com.'],
    ['a domain without a dot', 'anna@localhost'],
    ['an IPv4 address', 'anna@192.0.2.1'],
    ['an IPv4 address in brackets', 'anna@[192.0.2.1]'],
    ['an IPv6 address', 'anna@[IPv6:2001:db8::1]'],
    ['a number that a URL would take for an address', 'anna@1.0x7f'],
    ['a port', 'anna@example.com:25'],
    ['a path', 'anna@example.com/berg'],
    ['an encoded letter in the domain', 'anna@ex%61mple.com'],
    ['an underscore in the domain', 'anna@my_host.com'],
    ['a hyphen at the start of a label', 'anna@-example.com'],
    ['a hyphen at the end of a label', 'anna@example-.com'],
    ['punycode that stands for nothing', 'anna@xn--zzzzzz.com'],
    ['punycode of nothing', 'anna@xn--a.com'],
    ['punycode of letters that need none', 'anna@xn--abc-.de'],
    ['punycode of a capital letter', 'anna@xn--bcher-2pa.example'],
    ['punycode that stands for nothing below one that is good', 'anna@xn--zzzzzz.xn--bcher-kva.example'],
    ['65 octets before the @', `${'a'.repeat(65)}@example.com`],
    ['65 octets in 33 letters before the @', `${'\u00e9'.repeat(32)}a@example.com`],
    ['255 octets', `${'a'.repeat(64)}@${`${'b'.repeat(61)}.`.repeat(3)}comm`],
    ['a label of 64 octets', `anna@${'b'.repeat(64)}.example`],
    ['a megabyte', `${'a'.repeat(1024 * 1024)}@example.com`],
  ])('refuses %s', (_, given) => expect(emailAddress(given)).toBeUndefined());
});

import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type EmailAddress, emailAddress } from '../../kernel/email-address.js';
import { EmailHash } from './email-hash.js';

const encryptionKey = Buffer.alloc(32, 7);
const hashes = new EmailHash({ encryptionKey });

function address(text: string): EmailAddress {
  const made = emailAddress(text);
  if (made === undefined) throw new Error(`${text} is no address`);
  return made;
}

describe('EmailHash', () => {
  it('gives every spelling of an address the same 32 bytes, and another address others', () => {
    const anna = hashes.of(address('anna@example.com'));
    expect(anna).toHaveLength(32);
    expect(hashes.of(address('ANNA@Example.com'))).toEqual(anna);
    expect(hashes.of(address('hanna@example.com'))).not.toEqual(anna);
  });

  it('cannot be worked out without the key of this use', () => {
    const anna = hashes.of(address('anna@example.com')).toString('hex');
    expect(anna).not.toBe(createHash('sha256').update('anna@example.com').digest('hex'));
    expect(anna).not.toBe(createHmac('sha256', encryptionKey).update('anna@example.com').digest('hex'));
    const other = new EmailHash({ encryptionKey: Buffer.alloc(32, 8) });
    expect(other.of(address('anna@example.com')).toString('hex')).not.toBe(anna);
  });

  it('names a subject of the audit log without the address', () => {
    expect(hashes.subjectOf(address('anna@example.com'))).toMatch(/^email:[0-9a-f]{16}$/);
  });
});

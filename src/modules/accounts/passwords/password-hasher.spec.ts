import { describe, expect, it } from '@jest/globals';
import { type EmailAddress, emailAddress } from '../../../kernel/email-address.js';
import { EmailHash } from '../../../platform/encryption/index.js';
import { PasswordHasher } from './password-hasher.js';

const HASHES = new EmailHash({ encryptionKey: Buffer.alloc(32, 5) });
const ANN = emailAddress('ann@example.com') as EmailAddress;
const BEN = emailAddress('ben@example.com') as EmailAddress;
const hasher = new PasswordHasher(HASHES);
const PASSWORD = 'correct horse battery';

describe('PasswordHasher', () => {
  it('makes another Argon2id hash of the same password each time, and knows it again', async () => {
    const [first, second] = [await hasher.hash(PASSWORD), await hasher.hash(PASSWORD)];
    expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(first).not.toBe(second);
    for (const hash of [first, second]) expect(await hasher.verify(hash, PASSWORD)).toBe(true);
    expect(await hasher.verify(first, `${PASSWORD} `)).toBe(false);
  });

  it('makes the same hash of the same password for the same address, and for nobody else', async () => {
    const hash = await hasher.hashFor(ANN, PASSWORD);
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await hasher.hashFor(ANN, PASSWORD)).toBe(hash);
    expect(await hasher.verify(hash, PASSWORD)).toBe(true);
    expect(await hasher.hashFor(BEN, PASSWORD)).not.toBe(hash);
    expect(await hasher.hashFor(ANN, `${PASSWORD}s`)).not.toBe(hash);
    const elsewhere = new PasswordHasher(new EmailHash({ encryptionKey: Buffer.alloc(32, 6) }));
    expect(await elsewhere.hashFor(ANN, PASSWORD)).not.toBe(hash);
  });

  it('takes the same letters for the same, however a keyboard writes them', async () => {
    const hash = await hasher.hash('zoë und björn ｇｅｈｅｎ');
    expect(await hasher.verify(hash, 'zoe\u0308 und bjo\u0308rn gehen')).toBe(true);
  });

  it('says no where there is no password, after as much work', async () => {
    const hash = await hasher.hash(PASSWORD);
    const time = async (passwordHash: string | undefined) => {
      const start = performance.now();
      expect(await hasher.verify(passwordHash, 'wrong horse battery')).toBe(false);
      return performance.now() - start;
    };
    const times: { known: number[]; unknown: number[] } = { known: [], unknown: [] };
    for (let n = 0; n < 5; n++) {
      times.known.push(await time(hash));
      times.unknown.push(await time(undefined));
    }
    // A comparison that is left out takes no time at all; the quickest of each was the least disturbed.
    expect(Math.min(...times.unknown)).toBeGreaterThan(Math.min(...times.known) / 4);
  });

  it('works on two at once, lets others wait in turn, and sends away who finds sixty-four waiting', async () => {
    const busy = new PasswordHasher(HASHES);
    const asked = Array.from({ length: 70 }, (_, n) => busy.hash(`${PASSWORD} ${n}`));
    const ended = await Promise.allSettled(asked);
    const refused = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(refused).toHaveLength(4);
    for (const error of refused) expect(error).toMatchObject({ status: 503, retryAfter: 1 });
    // Every place was given back.
    await busy.hash(PASSWORD);
    await Promise.all(Array.from({ length: 66 }, () => busy.hash(PASSWORD)));
  });

  it('gives its place back when the work fails', async () => {
    const one = new PasswordHasher(HASHES);
    for (let n = 0; n < 4; n++) await expect(one.verify('not a hash', PASSWORD)).rejects.toThrow();
    await expect(one.hash(PASSWORD)).resolves.toMatch(/^\$argon2id/);
  });
});

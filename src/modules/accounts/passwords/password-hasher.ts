import { hash, verify } from '@node-rs/argon2';
import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { UnavailableError } from '../../../kernel/app-error.js';
import type { EmailAddress } from '../../../kernel/email-address.js';
import { EmailHash } from '../../../platform/encryption/index.js';

/**
 * Argon2id, the package's default, as OWASP's Password Storage Cheat Sheet has it at the least: 19 MiB, 2 passes, 1 lane.
 * About 25 ms of a core.
 */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const SALT_BYTES = 16;
/** Of libuv's four threads, which files and the resolver need too. */
const MAX_RUNNING = 2;
/** Nearly a second's worth: whoever comes later is better told to come again. */
const MAX_WAITING = 64;

/** Hashes and compares passwords, few at a time: they cost what they cost on purpose, and money routes share the machine. */
@Injectable()
export class PasswordHasher {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  /** Of a password nobody has: an address nobody has takes as long as one that somebody has. */
  private readonly nobodys = hash(randomBytes(32), COST);

  constructor(private readonly hashes: EmailHash) {}

  /**
   * @returns PHC format, with its own salt
   * @throws UnavailableError (503) when too many wait
   */
  hash(password: string): Promise<string> {
    return this.inTurn(() => hash(normalized(password), COST));
  }

  /**
   * Like `hash`, but the same for the same password of the same address: its salt is an HMAC of the address, as unique as a
   * random one. So somebody who registers twice is not taken for two people.
   *
   * @throws UnavailableError (503) when too many wait
   */
  hashFor(email: EmailAddress, password: string): Promise<string> {
    const salt = this.hashes.of(email).subarray(0, SALT_BYTES);
    return this.inTurn(() => hash(normalized(password), { ...COST, salt }));
  }

  /**
   * @param passwordHash of the account; nothing where there is none, which takes as long and is never right
   * @throws UnavailableError (503) when too many wait
   */
  async verify(passwordHash: string | undefined, password: string): Promise<boolean> {
    const compared = passwordHash ?? (await this.nobodys);
    const same = await this.inTurn(() => verify(compared, normalized(password)));
    return same && compared === passwordHash;
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= MAX_RUNNING) {
      if (this.waiting.length >= MAX_WAITING) throw new UnavailableError('Too many passwords are being checked.');
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else {
      this.running += 1;
    }
    try {
      return await work();
    } finally {
      // The place goes to who waits longest, or is free again.
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }
}

/** The same letters typed on another keyboard are the same password (NIST SP 800-63B, section 5.1.1.2). */
function normalized(password: string): string {
  return password.normalize('NFKC');
}

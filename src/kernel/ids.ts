import { randomBytes } from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Random bytes come from a pool: one call to the kernel's generator per 256 ids instead of one per id. */
const POOL_BYTES = 10 * 256;
let pool = Buffer.alloc(0);
let used = 0;
let lastMillisecond = 0;
let sequence = 0;
/** The first two bits of the ninth byte are fixed (RFC 9562, section 4.1), the next two are random. */
const VARIANTS = '89ab';

declare const BRAND: unique symbol;

/**
 * A text that the compiler, and nothing at run time, tells from every other text: where a `Branded<'HoldId'>` is wanted, no
 * plain text and no `Branded<'TransferId'>` will do. It comes from a type guard, from the row that has it, or from `newId`.
 */
export type Branded<Name extends string> = string & { readonly [BRAND]: Name };

/** An id of nothing yet: it becomes that of whatever it is given to. */
export type NewId = Branded<never>;

/**
 * A UUID version 7 (RFC 9562): time first, so that primary keys land at the end of their index. Ids made by one
 * process grow strictly: `rand_a` counts within the millisecond (RFC 9562, section 6.2, method 1).
 */
export function newId(): NewId {
  if (used >= pool.length) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  const now = Date.now();
  if (now > lastMillisecond) {
    lastMillisecond = now;
    sequence = pool.readUInt16BE(used) & 0x3ff;
  } else if (++sequence > 0xfff) {
    // More than the counter holds in one millisecond (or the clock went back): borrow from the next.
    lastMillisecond += 1;
    sequence = 0;
  }
  const time = timeDigits();
  const random = pool.toString('hex', used + 2, used + 10);
  const variant = VARIANTS.charAt(pool.readUInt8(used) >> 6);
  used += 10;
  return `${time}${(0x7000 | sequence).toString(16)}-${variant}${random.slice(0, 3)}-${random.slice(3, 15)}` as NewId;
}

let digitsOf = -1;
let digits = '';

/** Many ids are made within a millisecond; they share their first 14 characters. */
function timeDigits(): string {
  if (digitsOf !== lastMillisecond) {
    const time = lastMillisecond.toString(16).padStart(12, '0');
    digits = `${time.slice(0, 8)}-${time.slice(8)}-`;
    digitsOf = lastMillisecond;
  }
  return digits;
}

/** True for the text form of any UUID; PostgreSQL would answer 22P02 for anything else. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

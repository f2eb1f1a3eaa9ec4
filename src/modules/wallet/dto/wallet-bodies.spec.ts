import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { ValidationError } from '../../../kernel/app-error.js';
import { readerOf } from '../../../platform/http/index.js';
import { BalanceQueryDto } from './account.dto.js';
import { CaptureHoldDto, NewHoldDto } from './hold.dto.js';
import { NoBodyDto } from './no-body.dto.js';
import { NewTransactionDto } from './transaction.dto.js';
import { NewTransferBatchDto, NewTransferDto } from './transfer.dto.js';

const readTransfer = readerOf(NewTransferDto);
const readTransferBatch = readerOf(NewTransferBatchDto);
const readTransaction = readerOf(NewTransactionDto);
const readHold = readerOf(NewHoldDto);
const readCapture = readerOf(CaptureHoldDto);
const readNothing = readerOf(NoBodyDto);
const readBalanceQuery = readerOf(BalanceQueryDto);

const TRANSFER = { fromUserId: 'alice', toUserId: 'bob', amount: 100, currency: 'USD' };
const TRANSACTION = { userId: 'alice', type: 'CREDIT', amount: 100, currency: 'USD' };

/** What is said to be wrong, as `path: message`. */
function mistakes(read: () => unknown): string[] {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    const { errors } = error.details as { errors: { path: string; message: string }[] };
    return errors.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
}

describe('An amount', () => {
  it.each([1, 100, 1e3, Number.MAX_SAFE_INTEGER])('may be %d', (amount) => {
    expect(readTransfer({ ...TRANSFER, amount }).amount).toBe(amount);
  });

  it.each([
    0,
    -0,
    -1,
    0.5,
    100.5,
    2 ** 53,
    1e300,
    Infinity,
    NaN,
    '100',
    '1e3',
    true,
    null,
    undefined,
    [100],
    { amount: 1 },
  ])('may not be %j', (amount) => {
    expect(mistakes(() => readTransfer({ ...TRANSFER, amount }))).toEqual([
      'amount: amount must be an integer from 1 to 9007199254740991',
    ]);
  });

  it('of a capture may be left out but not be null', () => {
    expect(readCapture(undefined).amount).toBeUndefined();
    expect(readCapture({}).amount).toBeUndefined();
    expect(readCapture({ amount: 5 }).amount).toBe(5);
    expect(mistakes(() => readCapture({ amount: null }))).toHaveLength(1);
  });
});

describe('A currency', () => {
  it.each(['USD', 'EUR', 'JPY', 'KWD'])('may be %s', (currency) => {
    expect(readTransfer({ ...TRANSFER, currency }).currency).toBe(currency);
  });

  it.each(['usd', 'US', 'USDT', 'ZZZ', '', 'toString', 840, null, undefined, ['USD']])('may not be %j', (currency) => {
    expect(mistakes(() => readTransfer({ ...TRANSFER, currency }))).toEqual([
      'currency: currency must be an ISO 4217 currency code such as USD',
    ]);
  });
});

describe('A user id', () => {
  it.each(['a', '0195b6b0-0000-7000-8000-000000000000', 'auth0|5f7', 'a@b.c', 'x'.repeat(128)])(
    'may be %s',
    (userId) => {
      expect(readTransaction({ ...TRANSACTION, userId }).userId).toBe(userId);
    },
  );

  it('may be left out, for the end user who is calling', () => {
    const { userId: _, ...rest } = TRANSACTION;
    expect(readTransaction(rest).userId).toBeUndefined();
  });

  it.each(['', ' ', 'a b', 'a\n', 'ü', 'x'.repeat(129), 5, null, {}, ['alice']])('may not be %j', (userId) => {
    expect(mistakes(() => readTransaction({ ...TRANSACTION, userId }))).toHaveLength(1);
  });
});

describe('Optional texts', () => {
  it('may be left out or null, which is the same', () => {
    const empty = { description: null, category: null, reference: null, metadata: null };
    expect(readTransaction({ ...TRANSACTION, ...empty })).toEqual(readTransaction(TRANSACTION));
  });

  it.each([
    ['description', 'x'.repeat(501)],
    ['description', 5],
    ['category', ''],
    ['category', 'two words'],
    ['category', 'x'.repeat(65)],
    ['reference', ''],
    ['reference', 'x'.repeat(201)],
    ['reference', 'two words'],
    ['metadata', 'text'],
    ['metadata', ['a']],
    ['metadata', { a: 'x'.repeat(4096) }],
    ['metadata', { a: [1, { b: 1e308 }] }],
    ['metadata', { a: -1e-7 }],
  ])('are bounded: %s', (name, value) => {
    expect(mistakes(() => readTransaction({ ...TRANSACTION, [name]: value }))).toEqual([
      expect.stringMatching(`^${name}: ${name} must be`),
    ]);
  });

  it('are as long as they have characters, whatever those take in UTF-16', () => {
    const description = '😀'.repeat(500);
    expect(readTransaction({ ...TRANSACTION, description }).description).toBe(description);
    expect(mistakes(() => readTransaction({ ...TRANSACTION, description: `${description}!` }))).toHaveLength(1);
  });

  it('are read as they are', () => {
    const texts = {
      description: 'Ünïcode\n',
      category: 'usage.api',
      reference: 'inv:7',
      metadata: { deep: { a: [1] } },
    };
    expect(readTransaction({ ...TRANSACTION, ...texts })).toMatchObject(texts);
  });
});

describe('A body', () => {
  it('may have no field that is unknown', () => {
    expect(mistakes(() => readTransfer({ ...TRANSFER, note: '', memo: '' }))).toEqual([
      'note: property note should not exist',
      'memo: property memo should not exist',
    ]);
    expect(mistakes(() => readHold({ userId: 'a', amount: 1, currency: 'USD', type: 'hold' }))).toHaveLength(1);
    expect(mistakes(() => readNothing({ amount: 1 }))).toHaveLength(1);
  });

  it.each([null, 'text', 5, [], [TRANSFER]])('has to be an object, not %j', (body) => {
    expect(mistakes(() => readTransfer(body))[0]).toBe('body: must be a JSON object');
  });

  it('has all its mistakes named at once', () => {
    expect(mistakes(() => readTransaction({ userId: '', type: 'GIFT' }))).toEqual([
      expect.stringMatching(/^userId: /),
      'type: type must be one of the following values: CREDIT, DEBIT',
      expect.stringMatching(/^amount: /),
      expect.stringMatching(/^currency: /),
    ]);
  });

  it('that is left out is one without fields', () => {
    expect(mistakes(() => readTransfer(undefined))).toEqual(mistakes(() => readTransfer({})));
    expect(mistakes(() => readNothing(undefined))).toEqual([]);
    expect(mistakes(() => readNothing({}))).toEqual([]);
  });
});

describe('A batch', () => {
  const batchOf = (transfers: unknown, mode: unknown = 'atomic') => ({ mode, transfers });
  const many = (count: number, transfer: object) => Array.from({ length: count }, () => transfer);

  it('has 1 to 1,000 transfers', () => {
    expect(readTransferBatch(batchOf(many(1000, TRANSFER))).transfers).toHaveLength(1000);
    for (const transfers of [[], many(1001, TRANSFER), TRANSFER, null, undefined]) {
      expect(mistakes(() => readTransferBatch(batchOf(transfers)))).toEqual([
        'transfers: transfers must be a list of 1 to 1000 items',
      ]);
    }
  });

  it('has one of two modes', () => {
    expect(readTransferBatch(batchOf([TRANSFER], 'independent')).mode).toBe('independent');
    expect(mistakes(() => readTransferBatch(batchOf([TRANSFER], 'both')))).toHaveLength(1);
    expect(mistakes(() => readTransferBatch({ transfers: [TRANSFER] }))).toHaveLength(1);
  });

  it('has its mistakes named by the place of the transfer', () => {
    const transfers = [TRANSFER, { ...TRANSFER, amount: 0 }, 'text', { ...TRANSFER, note: '' }];
    expect(mistakes(() => readTransferBatch(batchOf(transfers)))).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^transfers\.1\.amount: amount must be/),
        'transfers.2: must be a JSON object',
        'transfers.3.note: property note should not exist',
      ]),
    );
  });

  it('is refused with 20 mistakes named, and the number of all', () => {
    expect(mistakes(() => readTransferBatch(batchOf(many(1000, {}))))).toHaveLength(20);
    expect(() => readTransferBatch(batchOf(many(1000, {})))).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ total: 3000 }) }),
    );
  });
});

describe('A hold', () => {
  const HOLD = { userId: 'alice', amount: 100, currency: 'USD' };

  it('stands for a second to 31 days', () => {
    for (const expiresInSeconds of [1, 31 * 86_400]) {
      expect(readHold({ ...HOLD, expiresInSeconds })).toMatchObject({ expiresInSeconds });
    }
    for (const expiresInSeconds of [0, -1, 1.5, 31 * 86_400 + 1, '60', null]) {
      expect(mistakes(() => readHold({ ...HOLD, expiresInSeconds }))).toEqual([
        'expiresInSeconds: expiresInSeconds must be an integer from 1 to 2678400',
      ]);
    }
  });

  it('may name who is to be paid, but not null', () => {
    expect(readHold({ ...HOLD, toUserId: 'bob' }).toUserId).toBe('bob');
    expect(readHold(HOLD).toUserId).toBeUndefined();
    expect(mistakes(() => readHold({ ...HOLD, toUserId: null }))).toHaveLength(1);
  });
});

describe('A balance', () => {
  const QUERY = { userId: 'alice', currency: 'USD' };

  it('is asked for now or at a time', () => {
    expect(readBalanceQuery(QUERY)).toEqual(QUERY);
    const at = '2026-01-31T09:30:00+01:00';
    expect(readBalanceQuery({ ...QUERY, at })).toEqual({ ...QUERY, at });
  });

  it('is not asked for with anything else', () => {
    for (const at of ['yesterday', '2026-01-31', '2026-02-30T00:00:00Z', '', ['2026-01-31T09:30:00Z']]) {
      expect(mistakes(() => readBalanceQuery({ ...QUERY, at }))).toHaveLength(1);
    }
    expect(mistakes(() => readBalanceQuery({ ...QUERY, user: 'bob' }))).toHaveLength(1);
    expect(mistakes(() => readBalanceQuery({ ...QUERY, userId: ['alice', 'bob'] }))).toHaveLength(1);
  });
});

describe('What is read', () => {
  const OPTIONS = { whitelist: true, forbidNonWhitelisted: true, stopAtFirstError: true };
  const odd = fc.constantFrom<unknown>(
    null,
    -0,
    0,
    1,
    1e3,
    0.5,
    2 ** 53,
    2n ** 53n,
    '',
    '1',
    true,
    [],
    [1],
    {},
    { a: 1e300 },
  );
  const orOdd = (good: fc.Arbitrary<unknown>) =>
    fc.oneof({ weight: 10, arbitrary: good }, { weight: 1, arbitrary: odd });
  const userId = orOdd(fc.constantFrom('alice', 'bob'));
  const amount = orOdd(fc.integer({ min: 1 }));
  const currency = orOdd(fc.constantFrom('USD', 'JPY'));
  const optional = {
    description: orOdd(fc.oneof(fc.string(), fc.string({ maxLength: 600, size: 'max' }))),
    metadata: orOdd(fc.dictionary(fc.string({ maxLength: 5 }), fc.double({ noNaN: true }), { noNullPrototype: true })),
  };
  const requiredOf = (fields: object) => ({ requiredKeys: Object.keys(fields) as never[] });
  const transferFields = { fromUserId: userId, toUserId: userId, amount, currency };
  const goodTransfer = fc.record({ ...transferFields, ...optional }, requiredOf(transferFields));
  const transfer = fc.oneof(
    { weight: 30, arbitrary: goodTransfer },
    { weight: 1, arbitrary: fc.record({ ...transferFields, note: odd }, { requiredKeys: [] }) },
  );
  const batchFields = {
    mode: orOdd(fc.constantFrom('atomic', 'independent')),
    transfers: fc.array(transfer, { minLength: 1, maxLength: 3 }),
  };
  const transactionFields = { userId, amount, currency, type: orOdd(fc.constantFrom('CREDIT', 'DEBIT')) };
  const words = {
    category: orOdd(fc.constantFrom('usage.api', 'inv:7', 'two words', '')),
    reference: orOdd(fc.constantFrom('usage.api', 'inv:7', 'two words', '')),
  };
  const holdFields = { userId, amount, currency };
  const holdOptions = { toUserId: userId, expiresInSeconds: amount, description: optional.description };

  const cases: [Type<object>, fc.Arbitrary<object>][] = [
    [NewTransferDto, transfer],
    [NewTransferBatchDto, fc.record(batchFields)],
    [NewTransactionDto, fc.record({ ...transactionFields, ...optional, ...words }, requiredOf(transactionFields))],
    [NewHoldDto, fc.record({ ...holdFields, ...holdOptions }, requiredOf(holdFields))],
    [CaptureHoldDto, fc.record({ amount }, { requiredKeys: [] })],
  ];

  it.each(cases)('as %p is what class-validator accepts by the same decorators, and nothing else', (dto, bodies) => {
    const read = readerOf(dto);
    const seen = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(bodies, (body) => {
        const made = plainToInstance(dto, body);
        const isGood = validateSync(made, OPTIONS).length === 0;
        expect(mistakes(() => read(body)).length === 0).toBe(isGood);
        if (isGood) expect(read(body)).toStrictEqual(made);
        seen[isGood ? 'accepted' : 'refused']++;
      }),
      { numRuns: 300 },
    );
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(0);
  });
});

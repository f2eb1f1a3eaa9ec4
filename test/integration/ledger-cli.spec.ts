import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Ended, runCommandLine } from '../support/command-line.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { TestLedger, transfer } from '../support/ledger.js';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.js';

let database: TestDatabase;
let test: TestLedger;
let dataDir: string;

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = makeTempFolder('ledger-cli');
  test = await TestLedger.open(database.url);
  await test.post(transfer(await test.fund('alice', 100), await test.fund('bob', 0), 10));
});

afterAll(async () => {
  await test?.close();
  await database?.drop();
  removeTempFolder(dataDir);
});

function holdfast(...args: string[]): Promise<Ended> {
  return runCommandLine(args, { NODE_ENV: 'test', DATABASE_URL: database.url, DATA_DIR: dataDir });
}

describe('holdfast ledger verify', () => {
  it('says that the ledger holds, and how much of it there is', async () => {
    expect(await holdfast('ledger', 'verify')).toMatchObject({
      stdout: 'The ledger holds; accounts: 3, entries: 4, sum of all balances: USD 0\n',
      code: 0,
    });
    const { stdout } = await holdfast('ledger', 'verify', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, accounts: 3, sumByCurrency: { USD: '0' }, violations: [] });
  });

  it('names what does not, and ends with 1', async () => {
    const bob = (await test.ledger.account({ kind: 'user', owner: 'bob', currency: 'USD' }))?.id;
    await test.dataSource.query('ALTER TABLE ledger_accounts DISABLE TRIGGER USER');
    await test.dataSource.query('UPDATE ledger_accounts SET balance = 11 WHERE id = $1', [bob]);
    const { stdout, code } = await holdfast('ledger', 'verify');
    expect(code).toBe(1);
    expect(stdout).toContain('The ledger does not hold; accounts: 3, entries: 4, sum of all balances: USD 1\n');
    expect(stdout).toContain('balances sum to zero: the balances in USD sum to 1\n');
    expect(stdout).toContain(`its 1 entries up to sequence 1 sum to 10 (account ${bob})`);
  });
});

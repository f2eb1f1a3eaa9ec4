import { Client } from 'pg';
import { newId } from '../../src/kernel/ids.js';

/** Something that happened to payments, as the figures count it. */
export interface HistoryEvent {
  readonly kind:
    | 'created'
    | 'settled'
    | 'failed'
    | 'canceled'
    | 'declined'
    | 'refunded'
    | 'returned'
    | 'disputed'
    | 'withdrawn'
    | 'reinstated';
  readonly at: Date;
  readonly provider: string;
  readonly mode: string;
  readonly currency: string;
  readonly amount: number;
}

const REFERENCES: Partial<Record<HistoryEvent['kind'], string>> = {
  settled: 'settle',
  refunded: 'refund-paid',
  returned: 'refund-returned',
  withdrawn: 'dispute',
  reinstated: 'dispute',
};

const OLDER_MS = 100 * 3_600_000;

/** On the side of the debit an entry is below zero. */
const IS_DEBIT: readonly HistoryEvent['kind'][] = ['settled', 'returned', 'reinstated'];

/** Writes what happened in the past straight into the tables, as no API could: each event with a payment of its own, and without balances. */
export class PaymentHistory {
  private readonly accounts = new Map<string, { id: string; sequence: number }>();

  private constructor(readonly client: Client) {}

  /** Without triggers: those of the ledger give times of their own. */
  static async open(url: string): Promise<PaymentHistory> {
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(`SET session_replication_role = replica`);
    for (const table of ['ledger_accounts', 'ledger_transfers', 'ledger_entries']) {
      await client.query(`ALTER TABLE ${table} DISABLE TRIGGER ALL`);
    }
    return new PaymentHistory(client);
  }

  close(): Promise<void> {
    return this.client.end();
  }

  /** Oldest first, as the ledger has them. */
  async add(events: readonly HistoryEvent[]): Promise<void> {
    await this.client.query('BEGIN');
    for (const event of events) await this.addOne(event);
    for (const { id, sequence } of this.accounts.values()) {
      await this.client.query(`UPDATE ledger_accounts SET sequence = $2 WHERE id = $1`, [id, sequence]);
    }
    await this.client.query('COMMIT');
  }

  /** A long past: as many payments, ends, disputes and movements of one account, one a minute up to then. Nothing may be there yet. */
  async addPast(count: number, to: Date): Promise<void> {
    const account = await this.account('clearing:stripe:test', 'USD');
    const times = `SELECT n, uuidv7() AS id, $1::timestamptz - ($2::integer - n) * interval '1 minute' AS at
      FROM generate_series(1, $2::integer) AS n`;
    const statements = [
      `INSERT INTO payments (id, user_id, provider, mode, amount, currency, capture, status, created_by, created_at)
       SELECT id, 'u', 'stripe', 'test', 5, 'USD', 'automatic', 'failed', 'test', at FROM (${times}) AS time`,
      `INSERT INTO payment_transitions (payment, sequence, to_status, source, actor, at)
       SELECT id, 1, 'failed', 'api', 'test', created_at FROM payments
       WHERE created_at <= $1 AND $2::integer > 0`,
      `INSERT INTO disputes (id, payment, user_id, provider, mode, provider_reference, status, provider_status, amount,
         currency, opened_at, created_at)
       SELECT id, id, 'u', 'stripe', 'test', id::text, 'open', 'open', 5, 'USD', at, at FROM (${times}) AS time`,
      `WITH transfer AS (
         INSERT INTO ledger_transfers (id, debit_account, credit_account, amount, debit_sequence, credit_sequence,
           debit_balance_after, credit_balance_after, created_at, currency, kind, actor, category, reference)
         SELECT id, '${account.id}', uuidv7(), 5, n, 1, 0, 0, at, 'USD', 'TRANSFER', 'test', 'payment', 'settle:' || id
         FROM (${times}) AS time
         RETURNING id, debit_sequence, created_at
       )
       INSERT INTO ledger_entries (account, sequence, transfer, amount, balance_after, created_at)
       SELECT '${account.id}', debit_sequence, id, -5, 0, created_at FROM transfer`,
    ];
    for (const statement of statements) await this.client.query(statement, [to, count]);
    account.sequence = count;
    await this.client.query(`UPDATE ledger_accounts SET sequence = $2 WHERE id = $1`, [account.id, count]);
    await this.client.query('ANALYZE');
  }

  /** A step of a payment that is over already: it does not count again. */
  async repeatLastStep(at: Date): Promise<void> {
    await this.client.query(
      `INSERT INTO payment_transitions (payment, sequence, from_status, to_status, source, actor, at)
       SELECT payment, sequence + 1, to_status, to_status, source, actor, $1
       FROM payment_transitions ORDER BY at DESC LIMIT 1`,
      [at],
    );
  }

  private async addOne(event: HistoryEvent): Promise<void> {
    const { kind, at, provider, mode, currency, amount } = event;
    if (kind in REFERENCES) return this.addEntry(event);
    if (kind === 'disputed') {
      await this.client.query(
        `INSERT INTO disputes (id, payment, user_id, provider, mode, provider_reference, status, provider_status, amount,
           currency, opened_at, created_at)
         VALUES ($1, $1, 'u', $2, $3, $7, 'open', 'open', $4, $5, '2001-01-01T00:00:00Z', $6)`,
        [newId(), provider, mode, amount, currency, at, newId()],
      );
      return;
    }
    const id = newId();
    // Of a step the payment itself is older than all that is looked at.
    const createdAt = kind === 'created' ? at : new Date(at.getTime() - OLDER_MS);
    await this.client.query(
      `INSERT INTO payments (id, user_id, provider, mode, amount, currency, capture, status, created_by, created_at)
       VALUES ($1, 'u', $2, $3, $4, $5, 'automatic', $6, 'test', $7)`,
      [id, provider, mode, amount, currency, kind, createdAt],
    );
    if (kind === 'created') return;
    await this.client.query(
      `INSERT INTO payment_transitions (payment, sequence, to_status, source, actor, at)
       VALUES ($1, 1, $2, 'api', 'test', $3)`,
      [id, kind, at],
    );
  }

  private async addEntry({ kind, at, provider, mode, currency, amount }: HistoryEvent): Promise<void> {
    const account = await this.account(`clearing:${provider}:${mode}`, currency);
    const id = newId();
    const signed = IS_DEBIT.includes(kind) ? -amount : amount;
    account.sequence += 1;
    await this.client.query(
      `INSERT INTO ledger_transfers (id, debit_account, credit_account, amount, debit_sequence, credit_sequence,
         debit_balance_after, credit_balance_after, created_at, currency, kind, actor, category, reference)
       VALUES ($1, $2, $3, $4, 1, 1, 0, 0, $5, $6, 'TRANSFER', 'test', 'payment', $7)`,
      [id, account.id, newId(), amount, at, currency, `${REFERENCES[kind]}:${id}`],
    );
    await this.client.query(
      `INSERT INTO ledger_entries (account, sequence, transfer, amount, balance_after, created_at)
       VALUES ($1, $2, $3, $4, 0, $5)`,
      [account.id, account.sequence, id, signed, at],
    );
  }

  private async account(owner: string, currency: string) {
    const known = this.accounts.get(owner + currency);
    if (known !== undefined) return known;
    const account = { id: newId(), sequence: 0 };
    this.accounts.set(owner + currency, account);
    await this.client.query(
      `INSERT INTO ledger_accounts (id, kind, owner, currency, allow_negative) VALUES ($1, 'system', $2, $3, true)`,
      [account.id, owner, currency],
    );
    return account;
  }
}

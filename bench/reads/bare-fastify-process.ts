// What people would write without us: a route, a query, an answer. A process of its own, as ours is.
import { fastify } from 'fastify';
import pg from 'pg';

/** As many as ours has by default. */
const POOL_SIZE = 20;

const BALANCE = {
  name: 'balance',
  text: `SELECT owner, currency, balance, held, now() AS as_of FROM ledger_accounts WHERE owner = $1 AND currency = $2 AND kind = 'user'`,
};

interface Row {
  owner: string;
  currency: string;
  balance: string;
  held: string;
  as_of: Date;
}

const pool = new pg.Pool({ connectionString: process.argv[2], max: POOL_SIZE });
const app = fastify();

app.get<{ Querystring: { userId: string; currency: string } }>('/api/wallet/balance', async (request, reply) => {
  const { userId, currency } = request.query;
  const { rows } = await pool.query<Row>({ ...BALANCE, values: [userId, currency] });
  const [row] = rows;
  if (!row) return reply.status(404).send();
  const balance = Number(row.balance);
  const held = Number(row.held);
  return { userId: row.owner, currency: row.currency, balance, held, available: balance - held, asOf: row.as_of };
});

process.send?.(await app.listen({ port: 0, host: '127.0.0.1' }));

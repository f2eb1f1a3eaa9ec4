import type { RuleShape, RuleSubject } from './fraud-rule.js';

/** Columns of `payments`, each with an index by its value and `created_at`, but for the country, which only lists look at. */
const COLUMNS: Readonly<Record<RuleSubject, string>> = {
  user: 'user_id',
  ip: 'ip',
  card: 'card_fingerprint',
  email: 'email',
  device: 'device_id',
  country: 'country',
};

/** JSON says no larger integer exactly. */
const MOST = `9007199254740991`;

/** Adds a parameter to the statement. @returns its place, `$1` */
export type Bind = (value: unknown) => string;

/**
 * `creation`: everything that has been committed counts, whatever time it bears: the transaction began before it waited for its turn.
 * `afterwards`: what had happened by the time the payment was created.
 */
export type Moment = 'creation' | 'afterwards';

/**
 * The figure by which a rule judges `payment`, a row of `payments` that is there already, as an expression of SQL: a bigint, or null
 * when the payment does not say what the rule looks at. One expression for the payment that is created and for the backtest, so that
 * the one says what the other would do.
 *
 * Payments that rules have declined are no attempts: nothing was sent, and who tries again would shut themselves out for good. What
 * is not resolved yet counts as whatever would be worst.
 */
export function figureOf(rule: RuleShape, moment: Moment, bind: Bind): string {
  switch (rule.kind) {
    case 'amount':
      return `CASE WHEN payment.currency = ${bind(rule.currency)} THEN payment.amount END`;
    case 'count':
      return ofSubject(rule, othersOf(rule, moment, bind, '1 + count(*)'));
    case 'sum':
      return `CASE WHEN payment.currency = ${bind(rule.currency)} THEN ${ofSubject(rule, sumOf(rule, moment, bind))} END`;
    case 'failed_attempts':
      return ofSubject(rule, othersOf(rule, moment, bind, '1 + count(*)', `AND ${hasOrMayHaveFailed(moment)}`));
    case 'disputes':
      return ofSubject(rule, othersOf(rule, moment, bind, 'count(*)', `AND ${wasDisputed(moment)}`));
    case 'distinct_cards':
      return `CASE WHEN payment.card_fingerprint IS NOT NULL THEN ${ofSubject(rule, cardsOf(rule, moment, bind))} END`;
    case 'new_account':
      return AGE;
    case 'country_mismatch':
      return countriesOf(rule, moment, bind);
    case 'list':
      return ofSubject(rule, isOn(rule, bind));
  }
}

function ofSubject({ by }: RuleShape, figure: string): string {
  return `CASE WHEN payment.${columnOf(by)} IS NOT NULL ${isSaidByService('payment', by)} THEN ${figure} END`;
}

/** An end user could name any e-mail address: one that is always let through, or somebody else's, to use up what is allowed to them. */
function isSaidByService(payment: 'payment' | 'other', by: RuleSubject | null): string {
  return by === 'email' ? `AND ${payment}.created_by NOT LIKE 'user:%'` : '';
}

function columnOf(by: RuleSubject | null): string {
  if (by === null) throw new TypeError('The rule has no subject');
  return COLUMNS[by];
}

/** Indexes: payments_user_created_idx, payments_ip_idx, payments_card_idx, payments_email_idx, payments_device_idx. */
function othersOf(
  { by, windowSeconds }: Pick<RuleShape, 'by' | 'windowSeconds'>,
  moment: Moment,
  bind: Bind,
  select: string,
  where = '',
): string {
  const column = columnOf(by);
  return `(
    SELECT ${select}
    FROM payments AS other
    WHERE other.${column} = payment.${column}
      AND other.id <> payment.id
      AND other.created_at > payment.created_at - ${bind(windowSeconds)} * interval '1 second'
      ${moment === 'afterwards' ? 'AND other.created_at <= payment.created_at' : ''}
      AND other.status <> 'declined'
      ${isSaidByService('other', by)}
      ${where}
  )`;
}

/** What has neither failed nor been canceled: it has come, or may still come. */
function sumOf(rule: RuleShape, moment: Moment, bind: Bind): string {
  const select = `least(payment.amount + coalesce(sum(other.amount), 0), ${MOST})`;
  const where = `AND other.currency = payment.currency AND other.status NOT IN ('failed', 'canceled')`;
  return othersOf(rule, moment, bind, select, where);
}

/** It has failed once, whatever became of it then; or nobody has heard of it yet. Index: payment_transitions_pkey. */
function hasOrMayHaveFailed(moment: Moment): string {
  return `coalesce((
    SELECT bool_or(step.to_status = 'failed')
    FROM payment_transitions AS step
    WHERE step.payment = other.id
      AND step.to_status <> 'created'
      ${moment === 'afterwards' ? 'AND step.at <= payment.created_at' : ''}
  ), true)`;
}

/** A dispute counts whoever won it: somebody said that the payment was wrong. An inquiry does not say that yet. Index: disputes_payment_idx. */
function wasDisputed(moment: Moment): string {
  return `EXISTS (
    SELECT FROM disputes AS dispute
    WHERE dispute.payment = other.id
      AND dispute.status IN ('open', 'won', 'lost')
      ${moment === 'afterwards' ? 'AND dispute.created_at <= payment.created_at' : ''}
  )`;
}

function cardsOf(rule: RuleShape, moment: Moment, bind: Bind): string {
  const others = 'other.card_fingerprint <> payment.card_fingerprint';
  return othersOf(rule, moment, bind, `1 + count(DISTINCT other.card_fingerprint) FILTER (WHERE ${others})`);
}

/** Seconds since the user's first account was opened, in whatever currency. Index: ledger_accounts_owner_key. */
const AGE = `(
    SELECT floor(greatest(extract(epoch FROM payment.created_at - min(account.created_at)), 0))
    FROM ledger_accounts AS account
    WHERE account.owner = payment.user_id AND account.kind = 'user'
  )`;

/** How many payments of the user have succeeded from elsewhere, if none has from here. */
function countriesOf({ windowSeconds }: RuleShape, moment: Moment, bind: Bind): string {
  const select = `CASE WHEN bool_or(other.country = payment.country) THEN 0 ELSE count(*) END`;
  const where = `AND other.country IS NOT NULL AND other.status = 'succeeded'`;
  const others = othersOf({ by: 'user', windowSeconds }, moment, bind, select, where);
  return `CASE WHEN payment.country IS NOT NULL THEN ${others} END`;
}

function isOn({ by, values }: RuleShape, bind: Bind): string {
  const list = bind(values);
  if (by === 'ip') return `(payment.ip <<= ANY (${list}::inet[]))::integer`;
  const column = `payment.${columnOf(by)}`;
  const isListed = `${column} = ANY (${list}::text[])`;
  if (by !== 'email') return `(${isListed})::integer`;
  return `(${isListed} OR '@' || split_part(${column}, '@', 2) = ANY (${list}::text[]))::integer`;
}

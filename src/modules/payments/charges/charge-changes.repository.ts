import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Payment } from '../payment.entity.js';

/** The columns of a payment that news of its charge change. */
export type ChargeColumns = Pick<
  Payment,
  | 'id'
  | 'status'
  | 'providerReference'
  | 'authorizationUrl'
  | 'accessCode'
  | 'failure'
  | 'settledAmount'
  | 'settledCurrency'
  | 'settledTo'
  | 'review'
>;

/** Index: payments_pkey. */
const CHANGE = `
  UPDATE payments
  SET
    status = changed.status, provider_reference = changed.provider_reference,
    authorization_url = changed.authorization_url, access_code = changed.access_code, failure = changed.failure::jsonb,
    settled_amount = changed.settled_amount, settled_currency = changed.settled_currency, settled_to = changed.settled_to,
    review = changed.review, updated_at = clock_timestamp()
  FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::text[]
  ) AS changed (
    id, status, provider_reference, authorization_url, access_code, failure, settled_amount, settled_currency, settled_to, review
  )
  WHERE payments.id = changed.id`;

/** Writes what news changed in many charges. Each is locked, and none is twice in a list. */
@Injectable()
export class ChargeChangesRepository {
  async change(tx: EntityManager, charges: readonly ChargeColumns[]): Promise<void> {
    if (charges.length === 0) return;
    await tx.query(CHANGE, [
      charges.map(({ id }) => id),
      charges.map(({ status }) => status),
      charges.map(({ providerReference }) => providerReference),
      charges.map(({ authorizationUrl }) => authorizationUrl),
      charges.map(({ accessCode }) => accessCode),
      charges.map(({ failure }) => (failure === null ? null : JSON.stringify(failure))),
      charges.map(({ settledAmount }) => settledAmount),
      charges.map(({ settledCurrency }) => settledCurrency),
      charges.map(({ settledTo }) => settledTo),
      charges.map(({ review }) => review),
    ]);
  }
}

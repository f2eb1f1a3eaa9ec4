import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { LEDGER_LOCK, Transactor } from '../../../platform/transaction/index.js';
import { DisputeReports } from '../disputes/dispute-reports.js';
import type { DisputeReport } from '../disputes/dispute.js';
import { DisputesRepository } from '../disputes/disputes.repository.js';
import type { ChangeCause, PaymentId, ProviderRefund } from '../payment.js';
import { PaymentsRepository } from '../payments.repository.js';
import { ProviderCalls } from './provider-calls.js';
import { ProviderDirectory } from './provider-directory.js';
import { RefundAdoption } from '../refunds/refund-adoption.js';
import { RefundsRepository } from '../refunds/refunds.repository.js';

/** Asks providers what went back of a payment without being asked for here: refunds in their dashboards, and disputes. */
@Injectable()
export class ProviderReturns {
  private readonly logger = new Logger(ProviderReturns.name);

  constructor(
    private readonly transactor: Transactor,
    private readonly directory: ProviderDirectory,
    private readonly payments: PaymentsRepository,
    private readonly refunds: RefundsRepository,
    private readonly disputes: DisputesRepository,
    private readonly calls: ProviderCalls,
    private readonly adoption: RefundAdoption,
    private readonly reports: DisputeReports,
  ) {}

  /** @returns false when the provider could not say, or it is not clear yet what it means */
  async refresh(id: PaymentId, cause: ChangeCause): Promise<boolean> {
    const payment = await this.payments.find(id);
    // Money that has not come cannot go back.
    if (payment === null || payment.settledTo === null) return true;
    try {
      const askedAt = await this.disputes.now();
      const found = await this.directory.get(payment.provider).findReturns(await this.calls.chargeRef(payment));
      const refunds = await this.changed(id, found.refunds);
      const disputes = await this.changedDisputes(id, found.disputes);
      if (refunds.length + disputes.length === 0) return true;
      return await this.transactor.run((tx) => this.apply(tx, id, refunds, disputes, cause, askedAt), {
        lockTable: LEDGER_LOCK,
      });
    } catch (error) {
      this.logger.warn({ msg: 'It is not known what went back of a payment', payment: id, err: error });
      return false;
    }
  }

  private async apply(
    tx: EntityManager,
    id: PaymentId,
    refunds: readonly ProviderRefund[],
    disputes: readonly DisputeReport[],
    cause: ChangeCause,
    askedAt: Date,
  ): Promise<boolean> {
    let isClear = true;
    for (const refund of refunds) isClear = (await this.adoption.apply(tx, id, refund, cause)) && isClear;
    for (const dispute of disputes) {
      isClear = (await this.reports.apply(tx, id, dispute, cause, askedAt)) && isClear;
    }
    return isClear;
  }

  /** Those that bring news: most looks find none, and need not wait for the ledger. */
  private async changed(id: PaymentId, found: readonly ProviderRefund[]): Promise<ProviderRefund[]> {
    if (found.length === 0) return [];
    const known = new Map((await this.refunds.of(id)).map((refund) => [refund.providerReference, refund.status]));
    return found.filter(({ reference, status, paysDispute }) =>
      known.has(reference) ? known.get(reference) !== status : !paysDispute,
    );
  }

  private async changedDisputes(id: PaymentId, found: readonly DisputeReport[]): Promise<DisputeReport[]> {
    if (found.length === 0) return [];
    const known = new Map((await this.disputes.of(id)).map((dispute) => [dispute.providerReference, dispute]));
    const moved = await this.disputes.movementsOf([...known.values()].map((dispute) => dispute.id));
    return found.filter(({ reference, providerStatus, movements }) => {
      const dispute = known.get(reference);
      const keys = moved.filter((movement) => movement.dispute === dispute?.id).map(({ key }) => key);
      return dispute?.providerStatus !== providerStatus || movements.some(({ key }) => !keys.includes(key));
    });
  }
}

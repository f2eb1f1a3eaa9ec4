import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Money } from '../../kernel/money.js';
import { allEnded, READ_COMMITTED, Transactor } from '../../platform/transaction/index.js';
import { AuditLog } from '../audit/index.js';
import { Ledger, userAccount } from '../ledger/index.js';
import type { OwnedPaymentDto } from './dto/payment.dto.js';
import { OperationsRepository } from './providers/operations.repository.js';
import { PaymentAlreadyOpenError } from './payment.errors.js';
import type { PaymentFailure, PaymentId } from './payment.js';
import { causeOf, type PaymentCaller } from './payment-caller.js';
import { PaymentMetrics } from './payment-metrics.js';
import { originOf, type PaymentOrigin, subjectsOf } from './payment-origin.js';
import type { PaymentProvider } from './providers/payment-provider.js';
import { PaymentsRepository } from './payments.repository.js';
import { CALL_MS } from './providers/provider-calls.js';
import type { ProviderOperation } from './providers/provider-operation.entity.js';
import type { Verdict } from './rules/fraud-rule.js';
import { type Judgement, PaymentRules } from './rules/payment-rules.js';

/** A payment that is about to be sent to its provider. */
export interface PaymentToCreate {
  readonly id: PaymentId;
  /** Of the call that makes the charge. */
  readonly operation: string;
  readonly amount: Money;
  readonly input: OwnedPaymentDto;
  readonly provider: PaymentProvider;
}

/** What another attempt at the same request has begun meanwhile: then this one has created nothing. Else what the rules say. */
export type Creation = { readonly begun: ProviderOperation } | { readonly judgement: Judgement };

/** For whoever may see the payment, its customer too: which rule it was stands in its evaluations. */
const HELD_FOR = 'A rule wants somebody to look at it';
const DECLINED: PaymentFailure = { code: 'declined_by_rule', message: 'A rule declined it; it was never sent.' };

/** Writes a payment, what the rules make of it, and the call to its provider, before that is sent. */
@Injectable()
export class PaymentCreation {
  constructor(
    private readonly transactor: Transactor,
    private readonly payments: PaymentsRepository,
    private readonly operations: OperationsRepository,
    private readonly rules: PaymentRules,
    private readonly ledger: Ledger,
    private readonly audit: AuditLog,
    private readonly metrics: PaymentMetrics,
  ) {}

  /**
   * What the rules decline is written all the same, with an operation that is over before it began: another attempt at the request
   * finds it.
   *
   * @throws PaymentAlreadyOpenError (409); ForbiddenError (403) for a context that an end user sent
   */
  async create(creation: PaymentToCreate, caller: PaymentCaller): Promise<Creation> {
    const origin = originOf(creation.input, caller);
    // Locks decide here: SERIALIZABLE, 33 at once lost to each other five times in a row.
    const created = await this.transactor.run(async (tx): Promise<Creation> => {
      const begun = caller.claim ? await this.operations.begunBy(caller.claim, tx) : null;
      if (begun !== null) return { begun };
      await this.insert(tx, creation, origin, caller);
      const { id, operation, input } = creation;
      const [judgement] = await allEnded([
        this.rules.judge(tx, { id, subjects: subjectsOf(input, origin, caller) }),
        this.operations.insert(tx, { id: operation, payment: id, kind: 'create', claim: caller.claim }),
        this.recordCreation(tx, creation, caller),
      ]);
      await this.carryOut(tx, judgement.verdict, creation, caller);
      return { judgement };
    }, READ_COMMITTED);
    if ('judgement' in created) this.count(created.judgement, creation);
    return created;
  }

  private async insert(
    tx: EntityManager,
    { id, amount, input, provider }: PaymentToCreate,
    origin: PaymentOrigin,
    caller: PaymentCaller,
  ): Promise<void> {
    const { userId, reference = null } = input;
    const { context } = caller;
    if (reference !== null) {
      const open = await this.payments.openFor(tx, userId, reference);
      if (open !== null) throw new PaymentAlreadyOpenError(open.id, open.status);
    }
    const opening = this.ledger.openAccount(tx, userAccount(userId, amount.currency), context);
    const inserting = this.payments.insert(tx, {
      id,
      userId,
      provider: provider.name,
      mode: provider.mode,
      reference,
      amount: String(amount.minor),
      currency: amount.currency,
      capture: input.capture,
      paymentMethod: input.paymentMethod ?? null,
      providerPaymentMethod: input.providerPaymentMethod ?? null,
      email: input.email ?? null,
      description: input.description ?? null,
      metadata: input.metadata ?? null,
      createdBy: context.actor,
      ...origin,
    });
    await allEnded([opening, inserting]);
  }

  private async recordCreation(
    tx: EntityManager,
    { id, amount, input, provider }: PaymentToCreate,
    caller: PaymentCaller,
  ) {
    const step = { from: null, to: 'created', reason: null } as const;
    const { userId } = input;
    const details = { userId, amount: Number(amount.minor), currency: amount.currency, provider: provider.name };
    await allEnded([
      this.payments.addTransition(tx, id, step, causeOf(caller)),
      this.audit.record(tx, [{ ...caller.context, action: 'payment.created', subject: `payment:${id}`, details }]),
    ]);
  }

  private async carryOut(
    tx: EntityManager,
    verdict: Verdict,
    { id, operation }: PaymentToCreate,
    caller: PaymentCaller,
  ): Promise<void> {
    if (verdict === 'decline') {
      await this.operations.finish(tx, operation, 'failed', DECLINED);
      await this.payments.change(tx, id, { status: 'declined', failure: DECLINED });
      const step = { from: 'created', to: 'declined', reason: DECLINED.message } as const;
      await this.payments.addTransition(tx, id, step, causeOf(caller));
      await this.audit.record(tx, [{ ...caller.context, action: 'payment.declined', subject: `payment:${id}` }]);
      return;
    }
    if (verdict === 'review') {
      await this.payments.change(tx, id, { heldFor: HELD_FOR });
      await this.audit.record(tx, [{ ...caller.context, action: 'payment.held', subject: `payment:${id}` }]);
    }
    await this.payments.watch(tx, id, CALL_MS);
  }

  private count(judgement: Judgement, { provider }: PaymentToCreate): void {
    this.rules.count(judgement);
    if (judgement.verdict === 'decline') this.metrics.changed(provider.name, 'declined');
  }
}

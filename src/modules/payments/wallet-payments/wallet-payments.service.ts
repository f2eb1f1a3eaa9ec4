import { Injectable } from '@nestjs/common';
import { ValidationError } from '../../../kernel/app-error.js';
import type { Currency } from '../../../kernel/currency.js';
import { newId } from '../../../kernel/ids.js';
import { Money } from '../../../kernel/money.js';
import type { Principal } from '../../../platform/auth/index.js';
import type { InitializeDto, InitializedDto } from './wallet-payment.dto.js';
import type { PaymentDto } from '../dto/payment.dto.js';
import type { PaymentCaller } from '../payment-caller.js';
import { PaymentReader } from '../payment-reader.js';
import { PaymentsService } from '../payments.service.js';

/** Payments by their reference, for callers who know no payment ids. */
@Injectable()
export class WalletPaymentsService {
  constructor(
    private readonly payments: PaymentsService,
    private readonly reader: PaymentReader,
  ) {}

  /**
   * Begins a payment with a reference of its own.
   *
   * @throws ValidationError for an amount that is missing, given twice, or finer than the currency
   */
  async initialize(input: InitializeDto, caller: PaymentCaller): Promise<InitializedDto> {
    const { minor, currency } = moneyOf(input);
    const reference = newId();
    const { userId, email, provider, context } = input;
    const payment = await this.payments.processPayment(
      {
        ...(userId !== undefined && { userId }),
        amount: Number(minor),
        currency,
        capture: 'automatic',
        reference,
        ...(email !== undefined && { email }),
        ...(provider !== undefined && { provider }),
        ...(context !== undefined && { context }),
      },
      caller,
      'initialize',
    );
    return {
      reference: payment.reference ?? reference,
      authorizationUrl: payment.authorizationUrl,
      accessCode: payment.accessCode,
      payment,
    };
  }

  /**
   * Without the client secret, which is for who asked for the payment: to read it is enough here.
   *
   * @throws NotFoundError, also for another user's
   */
  async verify(reference: string, principal: Principal, actor: string): Promise<PaymentDto> {
    const payment = await this.reader.findByReference(reference, principal);
    const { clientSecret: _, ...shown } = await this.payments.verifyPayment(payment.id, principal, actor);
    return shown;
  }
}

function moneyOf({ amount_usd: dollars, amount, currency }: InitializeDto): Money {
  if (dollars !== undefined) {
    if (amount !== undefined || currency !== undefined) {
      throw invalid('amount_usd', 'amount_usd stands alone: leave amount and currency out');
    }
    const money = Money.parse(dollars, 'USD');
    if (money.minor <= 0n) throw invalid('amount_usd', 'amount_usd must be above zero');
    return money;
  }
  if (amount === undefined || currency === undefined) {
    throw invalid('amount', 'send amount_usd, or amount (minor units) and currency');
  }
  return Money.of(amount, currency as Currency);
}

function invalid(path: string, message: string): ValidationError {
  return ValidationError.of([{ path, message }]);
}

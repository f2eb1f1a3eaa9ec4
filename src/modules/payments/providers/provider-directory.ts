import { Inject, Injectable } from '@nestjs/common';
import { ValidationError } from '../../../kernel/app-error.js';
import type { PaymentProviderName } from '../payment.js';
import type { PaymentProvider } from './payment-provider.js';

/** Those that are configured, the one that payments go to by themselves first. */
export const PAYMENT_PROVIDERS_IN_USE = Symbol('PAYMENT_PROVIDERS_IN_USE');

/** Which providers take payments here. */
@Injectable()
export class ProviderDirectory {
  constructor(@Inject(PAYMENT_PROVIDERS_IN_USE) private readonly providers: readonly PaymentProvider[]) {}

  get all(): readonly PaymentProvider[] {
    return this.providers;
  }

  /** @throws ValidationError for one that is not configured, or when there is none */
  choose(name: PaymentProviderName | undefined): PaymentProvider {
    const [first] = this.providers;
    const chosen = name === undefined ? first : this.find(name);
    if (chosen !== undefined) return chosen;
    const message =
      name === undefined
        ? 'no payment provider is configured: set STRIPE_SECRET_KEY or PAYSTACK_SECRET_KEY'
        : `${name} is not configured here`;
    throw ValidationError.of([{ path: 'provider', message }]);
  }

  /** @throws Error for one that took payments once, and is not configured any more */
  get(name: PaymentProviderName): PaymentProvider {
    const found = this.find(name);
    if (found === undefined) throw new Error(`The payment provider ${name} is not configured`);
    return found;
  }

  private find(name: PaymentProviderName): PaymentProvider | undefined {
    return this.providers.find((provider) => provider.name === name);
  }
}

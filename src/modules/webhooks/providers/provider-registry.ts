import { GithubProvider } from './github.provider.js';
import { GorgiasProvider } from './gorgias.provider.js';
import { HmacProvider } from './hmac.provider.js';
import { PaystackProvider } from './paystack.provider.js';
import { ShopifyProvider } from './shopify.provider.js';
import { StandardProvider } from './standard.provider.js';
import { StripeProvider } from './stripe.provider.js';
import type { ProviderName, WebhookProvider } from './webhook-provider.js';

/** Stateless, so one of each serves every source. */
const PROVIDERS: Readonly<Record<ProviderName, WebhookProvider>> = {
  stripe: new StripeProvider(),
  paystack: new PaystackProvider(),
  gorgias: new GorgiasProvider(),
  shopify: new ShopifyProvider(),
  github: new GithubProvider(),
  standard: new StandardProvider(),
  hmac: new HmacProvider(),
};

export function webhookProvider(name: ProviderName): WebhookProvider {
  return PROVIDERS[name];
}

import { PaystackApi } from './paystack-api.js';
import { PaystackHandlers } from './paystack.handlers.js';
import { PaystackProvider } from './paystack.provider.js';

export { paystackMode } from './paystack-key.js';

/** For the module, where Paystack takes payments. */
export const PAYSTACK = {
  controllers: [],
  providers: [PaystackApi, PaystackProvider, PaystackHandlers],
  adapters: [PaystackProvider],
};

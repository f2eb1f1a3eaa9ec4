import type { JsonObject } from '../../../../kernel/exact-json.js';
import { isoTime, numberFor } from './sample-values.js';

/** @returns a body as Shopify sends it for an order topic; other topics get the same order */
export function shopifySample(eventType = 'orders/create', eventId: string, timestamp: number) {
  const id = numberFor(eventId, 12);
  const customer = { id: numberFor(`customer ${eventId}`, 12), email: 'bob@example.com', first_name: 'Bob' };
  const body: JsonObject = {
    id,
    admin_graphql_api_id: `gid://shopify/Order/${id}`,
    created_at: isoTime(timestamp),
    updated_at: isoTime(timestamp),
    currency: 'USD',
    email: 'bob@example.com',
    financial_status: 'paid',
    fulfillment_status: null,
    name: '#6735',
    order_number: 6735,
    subtotal_price: '398.00',
    total_price: '409.94',
    total_tax: '11.94',
    test: true,
    customer,
    line_items: [
      {
        id: numberFor(`line item ${eventId}`, 12),
        name: 'IPod Nano - 8GB',
        sku: 'IPOD2008BLACK',
        quantity: 2,
        price: '199.00',
        taxable: true,
      },
    ],
    shipping_address: { city: 'Ottawa', country_code: 'CA', zip: 'K2P0V6', address1: '61 Elm Street' },
  };
  return { eventType, body };
}

import type { IncomingWebhook } from './webhook-provider.js';

/** Every value `name` was sent with, in wire order; names compare without regard to case (RFC 9110, section 5.1). */
export function headerValues(webhook: IncomingWebhook, name: string): string[] {
  const { rawHeaders } = webhook;
  const wanted = name.toLowerCase();
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [header, value] = [rawHeaders[index], rawHeaders[index + 1]];
    if (header?.length === wanted.length && header.toLowerCase() === wanted && value !== undefined) values.push(value);
  }
  return values;
}

import type { IncomingHttpHeaders } from 'node:http';

/** Credentials and signatures: an event shown to an operator must not be enough to forge the next one. */
const REDACTED = /authorization|cookie|signature|hmac|secret|token|api-?key|password/i;
/** About the connection, not the event. */
const DROPPED = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'expect']);
const MAX_VALUE_LENGTH = 1024;

/** The headers kept with an event. @param signatureHeader what a custom scheme calls its signature */
export function storedHeaders(headers: IncomingHttpHeaders, signatureHeader = ''): Record<string, string> {
  const stored: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || DROPPED.has(name)) continue;
    if (REDACTED.test(name) || name === signatureHeader.toLowerCase()) stored[name] = '[redacted]';
    else stored[name] = (typeof value === 'string' ? value : value.join(', ')).slice(0, MAX_VALUE_LENGTH);
  }
  return stored;
}

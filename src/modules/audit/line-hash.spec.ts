import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { GENESIS_HASH, type LineContent, lineHash } from './line-hash.js';

const LINE: LineContent = {
  id: '7',
  at: '2026-01-02T03:04:05.678901Z',
  actor: 'webhook:stripe',
  action: 'webhook.received',
  subject: 'webhook-event:0195b6b0-1111-7222-8333-444455556666',
  request_id: 'req-12345678',
  ip: '203.0.113.7',
  details: '{"amount": 12345678901234567890, "eventId": "evt_1"}',
};

describe('lineHash', () => {
  it('is SHA-256 over the previous hash and the canonical JSON of the line', () => {
    const text =
      '{"action":"webhook.received","actor":"webhook:stripe","at":"2026-01-02T03:04:05.678901Z",' +
      String.raw`"details":"{\"amount\": 12345678901234567890, \"eventId\": \"evt_1\"}",` +
      '"id":"7","ip":"203.0.113.7","requestId":"req-12345678","sequence":3,' +
      '"subject":"webhook-event:0195b6b0-1111-7222-8333-444455556666","v":1}';
    const previous = Buffer.alloc(32, 0xab);
    expect(lineHash(previous, 3, LINE)).toEqual(createHash('sha256').update(previous).update(text).digest());
  });

  const hash = lineHash(GENESIS_HASH, 3, LINE).toString('hex');

  it.each<Partial<LineContent>>([
    { id: '8' },
    { at: '2026-01-02T03:04:05.678902Z' },
    { actor: 'source:strip' },
    { action: 'webhook.rejected' },
    { subject: null },
    { subject: '' },
    { request_id: null },
    { ip: '203.0.113.8' },
    { details: '{"amount": 12345678901234567891, "eventId": "evt_1"}' },
  ])('is another one when a field differs: %j', (change) => {
    expect(lineHash(GENESIS_HASH, 3, { ...LINE, ...change }).toString('hex')).not.toBe(hash);
  });

  it('is another one at another place or after another line', () => {
    expect(lineHash(GENESIS_HASH, 4, LINE).toString('hex')).not.toBe(hash);
    expect(lineHash(Buffer.alloc(32, 1), 3, LINE).toString('hex')).not.toBe(hash);
  });

  it('is another one when a text moves from one field to the next', () => {
    const one = lineHash(GENESIS_HASH, 1, { ...LINE, actor: 'ab', action: 'c' });
    const other = lineHash(GENESIS_HASH, 1, { ...LINE, actor: 'a', action: 'bc' });
    expect(one.equals(other)).toBe(false);
  });
});

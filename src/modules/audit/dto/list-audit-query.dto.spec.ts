import { describe, expect, it } from '@jest/globals';
import { ValidationError } from '../../../kernel/app-error.js';
import { validationPipe } from '../../../platform/http/validation.pipe.js';
import { ListAuditQueryDto } from './list-audit-query.dto.js';

function parse(query: Record<string, unknown>): Promise<ListAuditQueryDto> {
  return validationPipe().transform(query, { type: 'query', metatype: ListAuditQueryDto });
}

describe('ListAuditQueryDto', () => {
  it('asks for fifty lines unless told otherwise', async () => {
    expect((await parse({})).limit).toBe(50);
    expect((await parse({ limit: '200' })).limit).toBe(200);
  });

  it('takes every filter', async () => {
    const filters = {
      actor: 'a',
      action: 'b',
      subject: 'c',
      from: '2026-01-02T03:04:05Z',
      to: '2026-01-02T03:04:05.6+02:00',
    };
    expect(await parse(filters)).toMatchObject(filters);
  });

  it.each([
    { limit: '0' },
    { limit: '201' },
    { limit: '1.5' },
    { limit: 'ten' },
    { limit: '' },
    { limit: ['1', '2'] },
    { cursor: ['a', 'b'] },
    { cursor: 'x'.repeat(1_001) },
    { actor: 'x'.repeat(256) },
    { action: ['a'] },
    { subject: 'x'.repeat(256) },
    { from: 'yesterday' },
    { to: '2026-01-02' },
    { unknown: '1' },
  ])('refuses %j', async (query) => {
    await expect(parse(query)).rejects.toThrow(ValidationError);
  });
});

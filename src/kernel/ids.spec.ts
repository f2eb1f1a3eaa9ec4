import { describe, expect, it } from '@jest/globals';
import { isUuid, newId } from './ids.js';

describe('newId', () => {
  it('makes version 7 UUIDs that never repeat and always grow, however fast they are made', () => {
    const ids = Array.from({ length: 50_000 }, newId);
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
      true,
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
  });

  it('starts with the time, so that ids of different processes are in order too', () => {
    const before = Date.now();
    const time = Number.parseInt(newId().replaceAll('-', '').slice(0, 12), 16);
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThan(before + 2000);
  });
});

describe('isUuid', () => {
  it('accepts a UUID and refuses what PostgreSQL would refuse', () => {
    expect(isUuid(newId())).toBe(true);
    for (const text of ['', 'x', `${newId()}0`, `${newId()}\n`, "' OR 1=1 --"]) expect(isUuid(text)).toBe(false);
  });
});

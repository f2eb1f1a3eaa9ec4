import { describe, expect, it } from 'vitest';
import { sealPace } from './seal-pace.js';

describe('sealPace', () => {
  it('is full speed while the process is idle', () => {
    expect(sealPace(0.1, 0)).toEqual({ batchSize: 5_000, restFactor: 0 });
  });

  it('gives way to requests when the process is busy', () => {
    const { batchSize, restFactor } = sealPace(0.9, 5);
    expect(batchSize).toBeLessThanOrEqual(500);
    expect(restFactor).toBeGreaterThan(1);
  });

  it('stops giving way when lines have waited too long', () => {
    expect(sealPace(1, 120)).toEqual(sealPace(0, 0));
  });
});

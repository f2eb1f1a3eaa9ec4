import { beforeEach, describe, expect, it } from '@jest/globals';
import { Probation } from './probation.js';

describe('Probation', () => {
  let now: number;
  let probation: Probation;

  beforeEach(() => {
    now = 0;
    probation = new Probation(() => now);
  });

  it('admits everybody while nothing has failed', () => {
    expect([probation.admits(), probation.admits()]).toEqual([true, true]);
    probation.succeeded();
    expect(probation.admits()).toBe(true);
  });

  it('admits nobody for a second after a failure', () => {
    probation.failed();
    now = 999;
    expect(probation.admits()).toBe(false);
  });

  it('then admits one, and everybody once that has succeeded', () => {
    probation.failed();
    now = 1000;
    expect([probation.admits(), probation.admits(), probation.admits()]).toEqual([true, false, false]);
    probation.succeeded();
    expect([probation.admits(), probation.admits()]).toEqual([true, true]);
  });

  it('waits another second when the one has failed', () => {
    probation.failed();
    now = 1000;
    probation.admits();
    now = 1200;
    probation.failed();
    now = 2199;
    expect(probation.admits()).toBe(false);
    now = 2200;
    expect(probation.admits()).toBe(true);
  });
});

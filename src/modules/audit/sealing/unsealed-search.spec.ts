import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { UnsealedSearch } from './unsealed-search.js';

describe('UnsealedSearch', () => {
  let now = 0;
  let search: UnsealedSearch;

  beforeEach(() => {
    now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    search = new UnsealedSearch();
  });
  afterEach(() => void jest.restoreAllMocks());

  it('starts at the very first id', () => {
    expect(search.floor()).toBe(0);
  });

  it('then starts a hundred thousand ids below the newest sealed one', () => {
    search.found(0, ['5', '700000'], true);
    expect(search.floor()).toBe(600_000);
    search.found(600_000, ['650000'], true);
    expect(search.floor()).toBe(600_000);
  });

  it('starts at the very first again after a minute', () => {
    search.found(0, ['700000'], true);
    now = 59_999;
    expect(search.floor()).toBe(600_000);
    now = 60_000;
    expect(search.floor()).toBe(0);
  });

  it('keeps starting there until it has found all there is', () => {
    search.found(0, ['700000'], false);
    expect(search.floor()).toBe(0);
    search.found(0, [], true);
    expect(search.floor()).toBe(600_000);
  });
});

import { describe, expect, it } from '@jest/globals';
import { expiry, wholeNumber } from './options.js';

describe('wholeNumber', () => {
  it('takes what lies within its bounds', () => {
    expect(['1', '20'].map(wholeNumber(1, 20))).toEqual([1, 20]);
  });

  it.each(['0', '21', '1.5', '-1', '1e1', '', 'many'])('refuses "%s"', (text) => {
    expect(() => wholeNumber(1, 20)(text)).toThrow('whole number from 1 to 20');
  });
});

describe('expiry', () => {
  it.each([
    ['90m', 5_400_000],
    ['12h', 43_200_000],
    ['30d', 2_592_000_000],
  ])('reads %s as a time from now', (text, afterMs) => {
    expect(expiry(text)).toEqual({ afterMs });
  });

  it('reads RFC 3339 with its time zone', () => {
    expect(expiry('2027-01-31T12:00:00+02:00')).toEqual({ at: new Date('2027-01-31T10:00:00Z') });
  });

  it.each(['0d', '30', '30w', '2027-01-31', '2027-01-31T12:00:00', '2027-13-31T12:00:00Z', 'soon'])(
    'refuses "%s"',
    (text) => {
      expect(() => expiry(text)).toThrow('2027-01-31T12:00:00Z');
    },
  );
});

import { InvalidArgumentError } from 'commander';

/** Options of the command line that are whole numbers. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < min || number > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return number;
  };
}

/** Either a time, or how long from now by the clock of the database. */
export type Expiry = { at: Date } | { afterMs: number };

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** `2027-01-31T12:00:00Z`, or `90m`, `12h`, `30d`. */
export function expiry(text: string): Expiry {
  const [, amount, unit = ''] = /^([1-9]\d{0,5})([mhd])$/.exec(text) ?? [];
  if (amount !== undefined) return { afterMs: Number(amount) * (UNIT_MS[unit] ?? 0) };
  const at = new Date(text);
  if (!RFC_3339.test(text) || Number.isNaN(at.getTime())) {
    throw new InvalidArgumentError('It must be a time such as 2027-01-31T12:00:00Z, or 90m, 12h or 30d from now.');
  }
  return { at };
}

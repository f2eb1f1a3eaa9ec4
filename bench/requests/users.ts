/** On both sides of every comparison. */
export const USERS = 10_000;
export const CURRENCY = 'USD';

/** Minor units; more than a run can take from one user. */
const FUNDS = 1_000_000_000;

/** Always 10 bytes. @param number 0 to `USERS` − 1 */
export function userId(number: number): string {
  return `user-${String(number).padStart(5, '0')}`;
}

/** What the user has before anything is measured. No two have the same: it tells whose balance an answer shows. */
export function fundsOf(number: number): number {
  return FUNDS + number;
}

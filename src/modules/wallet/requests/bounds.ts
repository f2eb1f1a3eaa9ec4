/** Seconds; card networks let an authorisation stand for a week, the longest of them for a month. */
export const DEFAULT_HOLD_SECONDS = 7 * 86_400;
export const MAX_HOLD_SECONDS = 31 * 86_400;

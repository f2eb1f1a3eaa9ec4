// What a request may hold: `FieldReader` goes by it, and `dto/schemas.ts` tells it.

/** Transfers in one batch at most. */
export const MAX_BATCH = 1000;

/** Seconds; card networks let an authorisation stand for a week, the longest of them for a month. */
export const DEFAULT_HOLD_SECONDS = 7 * 86_400;
export const MAX_HOLD_SECONDS = 31 * 86_400;

export const CATEGORY_PATTERN = /^[A-Za-z0-9_.:-]{1,64}$/;

/** It goes into URLs and log lines: visible ASCII only. */
export const REFERENCE_PATTERN = /^[\x21-\x7e]{1,200}$/;

/** Characters. */
export const MAX_DESCRIPTION = 500;

export const MAX_METADATA_BYTES = 4096;

/** The largest amount and balance, in minor units: what the API can say exactly, as JSON numbers are doubles. */
export const MAX_AMOUNT = BigInt(Number.MAX_SAFE_INTEGER);

import { type JsonValue, stringifyExactJson } from '../../kernel/exact-json.js';

/** `JSON.stringify`, but an answer with a `bigint` in it (an exact integer beyond 2^53) is written digit by digit. */
export function serializeJson(payload: unknown): string {
  try {
    return JSON.stringify(payload);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return stringifyExactJson(payload as JsonValue);
  }
}

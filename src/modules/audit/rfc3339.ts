/**
 * SQL for a timestamptz as RFC 3339 text, UTC, with microseconds. Hashes and signatures cover the text: a JavaScript
 * date would drop three digits.
 */
export function rfc3339(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

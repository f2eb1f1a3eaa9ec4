/** What ends or escapes a quoted element of an array literal. */
const SPECIAL = /["\\]/g;

/**
 * The text form of a one-dimensional PostgreSQL array, https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO.
 *
 * For hot paths: the driver makes the same, but searches every element twice for what it has to escape, which few
 * have; with twenty columns that was 3 % of what a webhook costs.
 */
export function arrayLiteral(elements: readonly (string | null)[]): string {
  let literal = '{';
  for (const element of elements) {
    if (literal.length > 1) literal += ',';
    literal += element === null ? 'NULL' : `"${isPlain(element) ? element : element.replace(SPECIAL, '\\$&')}"`;
  }
  return `${literal}}`;
}

/** Of elements that hold no character the array syntax knows: UUIDs, hex digits, numbers, booleans. */
export function plainArrayLiteral(elements: readonly (string | number | boolean | null)[]): string {
  return `{${elements.map((element) => element ?? 'NULL').join(',')}}`;
}

function isPlain(element: string): boolean {
  return !element.includes('"') && !element.includes('\\');
}

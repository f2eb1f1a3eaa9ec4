const NUMBER = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * Whether a double keeps the value of a JSON number to its last digit, so that writing it gives the same value again.
 * Every number of up to 15 significant digits between 1e-307 and 1e308 is kept; `0.1` is, `1.00000000000000001` is not.
 *
 * @param text of the number as JSON writes it; for anything else the answer means nothing
 */
export function isKeptByDouble(text: string): boolean {
  const double = Number(text);
  return Number.isFinite(double) && decimal(text) === decimal(String(double));
}

/** The same text for every way to write a value: its digits from the first to the last that is not 0, and an exponent. */
function decimal(text: string): string {
  const [, whole = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? [];
  const digits = whole + fraction;
  let start = 0;
  while (digits[start] === '0') start++;
  if (start === digits.length) return '0';
  // Not `/0+$/`, which looks at a thousand zeros half a million times.
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return `${digits.slice(start, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}

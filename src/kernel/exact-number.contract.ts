/** For tests: numbers as JSON writes them, most of them with more digits than a double has, some beyond its range. */
export const ANY_NUMBER = /^-?(0|[1-9]\d{0,20})(\.\d{1,20})?(e-?[1-9]\d{0,2})?$/;

/** For tests: whether two texts say the same number, found out without rounding. */
export function isSameNumber(one: string, other: string): boolean {
  const [a, b] = [fractionOf(one), fractionOf(other)];
  return a.numerator * b.denominator === b.numerator * a.denominator;
}

function fractionOf(text: string): { numerator: bigint; denominator: bigint } {
  const [mantissa = '', power = '0'] = text.toLowerCase().split('e');
  const [integer = '', fraction = ''] = mantissa.split('.');
  const exponent = Number(power) - fraction.length;
  const numerator = BigInt(integer + fraction);
  return exponent >= 0
    ? { numerator: numerator * 10n ** BigInt(exponent), denominator: 1n }
    : { numerator, denominator: 10n ** BigInt(-exponent) };
}

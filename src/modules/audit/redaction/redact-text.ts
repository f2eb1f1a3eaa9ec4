const REDACTED = '[redacted]';

/** Credentials that tell what they are by their first characters, ours and those of the providers; bearer tokens; JWTs. */
const CREDENTIAL =
  /\b(?:whsec_|(?:sk|rk|hf)_(?:live|test)_|hf[rm]_|shpat_|shpss_|shpca_|gh[pousr]_|github_pat_|xox[abpr]-)[\w+/=-]{16,}|\bBearer\s+[\w.~+/=-]{16,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g;

/** 15 to 19 digits, with the spaces or hyphens people write between them, and nothing around that makes them an id. */
const CARD_NUMBER = /(?<![\w.-])\d(?:[ -]?\d){14,18}(?![\w-]|\.\d)/g;

/** The ranges card schemes use (ISO/IEC 7812); what starts with 1, such as a time in microseconds, is none. */
const CARD_RANGE = /^(?:4|5[1-5]|2[2-7]|3[4-8]|30|6)/;

/** Replaces credentials and card numbers inside a text. */
export function redactText(text: string): string {
  return text
    .replace(CREDENTIAL, REDACTED)
    .replace(CARD_NUMBER, (number) => (isCardNumber(number.replace(/\D/g, '')) ? REDACTED : number));
}

function isCardNumber(digits: string): boolean {
  return CARD_RANGE.test(digits) && luhnSum(digits) % 10 === 0;
}

/** ISO/IEC 7812-1, annex B. */
function luhnSum(digits: string): number {
  return [...digits].toReversed().reduce((sum, digit, place) => {
    const value = Number(digit) * (place % 2 === 0 ? 1 : 2);
    return sum + (value > 9 ? value - 9 : value);
  }, 0);
}

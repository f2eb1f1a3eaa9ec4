/**
 * ISO 4217, list one (https://www.six-group.com/en/products-services/financial-information/market-reference-data/data-standards.html),
 * up to amendment 180, without metals, test codes and those units of account that have no minor unit.
 */
const LIST_ONE = [
  'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF',
  'CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD',
  'HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD',
  'MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN',
  'PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD',
  'TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XCD XCG XOF XPF YER ZAR ZMW ZWG',
] as const;

/** The digits of the minor unit where they are not two, in the same list: how many of them stand after the point. */
const MINOR_UNITS = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

type Words<Line extends string, Found extends string = never> = Line extends `${infer Word} ${infer Rest}`
  ? Words<Rest, Found | Word>
  : Found | Line;

/** A code of ISO 4217 in upper case. The compiler knows them all; of a text, `isCurrency` tells. */
export type Currency = Words<(typeof LIST_ONE)[number]>;

export const CURRENCIES: readonly string[] = LIST_ONE.flatMap((line) => line.split(' '));

const KNOWN: ReadonlySet<string> = new Set(CURRENCIES);

const NOT_TWO: ReadonlyMap<string, number> = new Map(
  Object.entries(MINOR_UNITS).flatMap(([digits, codes]) => codes.split(' ').map((code) => [code, Number(digits)])),
);

/** True for a code of ISO 4217 in upper case. */
export function isCurrency(code: string): code is Currency {
  return KNOWN.has(code);
}

/** How many digits the minor unit has: 2 for USD, whose dollar has 100 cents; 0 for JPY, which has none; 3 for KWD. */
export function minorUnitsOf(currency: Currency): number {
  return NOT_TWO.get(currency) ?? 2;
}

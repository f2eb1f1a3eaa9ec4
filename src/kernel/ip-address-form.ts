/** Patterns of addresses as texts, without anchors, for the OpenAPI document: what reads addresses is `node:net`. */

const BYTE = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const GROUP = '[0-9A-Fa-f]{1,4}';

export const IPV4_FORM = `(?:${BYTE}\\.){3}${BYTE}`;

/** RFC 4291, section 2.2: eight groups, or fewer around one `::`; IPv4 in the last two only where it is mapped. */
export const IPV6_FORM = `(?:${[
  `(?:${GROUP}:){7}${GROUP}`,
  `::[Ff]{4}:${IPV4_FORM}`,
  `::(?:${GROUP}(?::${GROUP}){0,6})?`,
  ...[1, 2, 3, 4, 5, 6].map((left) => `(?:${GROUP}:){${left}}:(?:${GROUP}(?::${GROUP}){0,${6 - left}})?`),
  `(?:${GROUP}:){7}:`,
].join('|')})`;

export const IPV4_RANGE_FORM = `${IPV4_FORM}/(?:3[0-2]|[12]?[0-9])`;
export const IPV6_RANGE_FORM = `${IPV6_FORM}/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9])`;

import { ValidateBy } from 'class-validator';
import { IPV4_RANGE_FORM, IPV6_RANGE_FORM } from '../../../kernel/ip-address-form.js';
import { inSchema } from '../../../platform/http/index.js';
import { AddressList } from '../../../kernel/address-list.js';

/** JSON Schema has formats for addresses, and none for ranges. */
const RANGE = `^(?:${IPV4_RANGE_FORM}|${IPV6_RANGE_FORM})$`;

/** Every item is an address or a CIDR range, v4 or v6: what `AddressList` reads. */
export function AreAddressRanges(): PropertyDecorator {
  return ValidateBy(
    {
      name: 'areAddressRanges',
      validator: {
        validate: (value) => faultOf(value) === undefined,
        defaultMessage: (problem) => faultOf(problem?.value) ?? '',
      },
    },
    inSchema({
      items: {
        type: 'string',
        anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }, { pattern: RANGE }],
      },
    }),
  );
}

function faultOf(value: unknown): string | undefined {
  if (!Array.isArray(value)) return 'must be a list';
  const entries: readonly unknown[] = value;
  for (const entry of entries) {
    if (typeof entry !== 'string') return 'each must be a text';
    try {
      AddressList.parse([entry]);
    } catch (error) {
      if (error instanceof RangeError) return error.message;
      throw error;
    }
  }
  return undefined;
}

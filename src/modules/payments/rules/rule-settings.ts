import { emailAddress } from '../../../kernel/email-address.js';
import { plainRange } from '../../../kernel/plain-address.js';
import { USER_ID } from '../../../kernel/user-id.js';
import type { RuleKind, RuleSettings, RuleShape, RuleSubject } from './fraud-rule.js';

export interface Fault {
  readonly path: string;
  readonly message: string;
}

interface KindOfRule {
  readonly needs: readonly (keyof RuleSettings)[];
  readonly by?: readonly RuleSubject[];
  /** Compares a payment with others of its subject: two at once must not look past each other. */
  readonly isVelocity: boolean;
  /** Continues "a rule of kind … ". */
  readonly says: string;
}

const WHO: readonly RuleSubject[] = ['user', 'ip', 'card', 'email', 'device'];

const KINDS: Readonly<Record<RuleKind, KindOfRule>> = {
  amount: {
    isVelocity: false,
    needs: ['limit', 'currency'],
    says: 'matches more than limit (minor units) of currency',
  },
  count: {
    isVelocity: true,
    needs: ['by', 'windowSeconds', 'limit'],
    by: WHO,
    says: 'matches more than limit payments of one subject (by) within windowSeconds',
  },
  sum: {
    isVelocity: true,
    needs: ['by', 'windowSeconds', 'limit', 'currency'],
    by: WHO,
    says: 'matches more than limit (minor units) of currency by one subject (by) within windowSeconds',
  },
  failed_attempts: {
    isVelocity: true,
    needs: ['by', 'windowSeconds', 'limit'],
    by: WHO,
    says: 'matches after limit failed attempts of one subject (by) within windowSeconds',
  },
  disputes: {
    isVelocity: false,
    needs: ['by', 'windowSeconds', 'limit'],
    by: WHO,
    says: 'matches when more than limit payments of one subject (by) within windowSeconds were disputed',
  },
  distinct_cards: {
    isVelocity: true,
    needs: ['by', 'windowSeconds', 'limit'],
    by: ['user', 'ip', 'email', 'device'],
    says: 'matches more than limit cards of one subject (by) within windowSeconds',
  },
  new_account: {
    isVelocity: false,
    needs: ['windowSeconds'],
    says: 'matches users whose account is younger than windowSeconds',
  },
  country_mismatch: {
    isVelocity: false,
    needs: ['windowSeconds'],
    says: 'matches a country that the user has not paid from within windowSeconds, when they have paid from another',
  },
  list: { isVelocity: false, needs: ['by', 'values'], says: 'matches when the subject (by) is one of values' },
};

const SETTINGS = ['by', 'windowSeconds', 'limit', 'currency', 'values'] as const;

export function isVelocity({ kind }: Pick<RuleShape, 'kind'>): boolean {
  return KINDS[kind].isVelocity;
}

/** @returns everything that is wrong with a rule as a whole, each with how to mend it; empty when it makes sense */
export function faultsOf(rule: RuleShape): Fault[] {
  return [...faultsOfSettings(rule), ...faultsOfAction(rule), ...faultsOfSubject(rule), ...faultsOfValues(rule)];
}

/** Where a value has several spellings, the one in which payments are stored. */
export function storedValues({ by, values }: Pick<RuleSettings, 'by' | 'values'>): string[] | null {
  if (values === null) return null;
  return [...new Set(values.map((value) => storedValue(by, value)))];
}

function storedValue(by: RuleSubject | null, value: string): string {
  if (by === 'ip') return plainRange(value);
  return by === 'email' ? (domainOf(value) ?? emailAddress(value) ?? value) : value;
}

function faultsOfSettings(rule: RuleShape): Fault[] {
  const { needs, says } = KINDS[rule.kind];
  const sentence = `a rule of kind ${rule.kind} ${says}`;
  return SETTINGS.flatMap((path) => {
    const isGiven = rule[path] !== null;
    if (needs.includes(path) === isGiven) return [];
    return [{ path, message: isGiven ? `leave ${path} out: ${sentence}` : `${path} is missing: ${sentence}` }];
  });
}

function faultsOfAction({ kind, action }: RuleShape): Fault[] {
  if (kind === 'list' || action === 'decline' || action === 'review') return [];
  return [{ path: 'action', message: `only a list can ${action}: a rule of kind ${kind} has decline or review` }];
}

function faultsOfSubject({ kind, by }: RuleShape): Fault[] {
  const { by: subjects } = KINDS[kind];
  if (by === null || subjects === undefined || subjects.includes(by)) return [];
  return [{ path: 'by', message: `a rule of kind ${kind} is by ${subjects.join(', ')}` }];
}

function faultsOfValues({ kind, by, values }: RuleShape): Fault[] {
  if (kind !== 'list' || by === null || values === null) return [];
  return values.flatMap((value, index) => {
    const message = faultOfValue(by, value);
    return message === undefined ? [] : [{ path: `values.${index}`, message }];
  });
}

function faultOfValue(by: RuleSubject, value: string): string | undefined {
  switch (by) {
    case 'ip':
      return faultOfAddress(value);
    case 'country':
      return /^[A-Z]{2}$/.test(value) ? undefined : 'a country is two capital letters (ISO 3166), for example DE';
    case 'email':
      return (emailAddress(value) ?? domainOf(value))
        ? undefined
        : 'an e-mail address, or @ and a domain, for example @example.com';
    case 'user':
      return USER_ID.test(value) ? undefined : 'a user id is 1 to 128 visible ASCII characters';
    case 'card':
    case 'device':
      return /^[\x21-\x7e]{1,255}$/.test(value) ? undefined : 'a text of 1 to 255 visible ASCII characters';
  }
}

function faultOfAddress(value: string): string | undefined {
  try {
    plainRange(value);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** `@example.com`, for everybody there; undefined for what is none. */
function domainOf(value: string): string | undefined {
  return value.startsWith('@') ? emailAddress(`anybody${value}`)?.slice('anybody'.length) : undefined;
}

import type { Type } from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';
import { schemaOfRule } from '../platform/http/index.js';

/** Keywords of JSON Schema. */
export type Keywords = Readonly<Record<string, unknown>>;

/** What class-validator checks of a field, as JSON Schema says it. */
export interface FieldRules {
  /** Of the value. */
  readonly own: Keywords;
  /** Of each of its items. */
  readonly items: Keywords;
  /** It may be left out. */
  readonly optional: boolean;
  /** It may be null. */
  readonly nullable: boolean;
  /** Its own fields are checked by the rules of its class. */
  readonly nested: boolean;
}

/** The rules of class-validator that are in use, by name. */
const KEYWORDS: Readonly<Record<string, (constraints: readonly unknown[]) => Keywords>> = {
  isString: () => ({ type: 'string' }),
  isInt: () => ({ type: 'integer' }),
  isBoolean: () => ({ type: 'boolean' }),
  isArray: () => ({ type: 'array' }),
  isObject: () => ({ type: 'object' }),
  isNotEmptyObject: () => ({ minProperties: 1 }),
  isIn: ([values]) => ({ enum: values }),
  min: ([minimum]) => ({ minimum }),
  max: ([maximum]) => ({ maximum }),
  minLength: ([minLength]) => ({ minLength }),
  maxLength: ([maxLength]) => ({ maxLength }),
  isLength: ([minLength, maxLength]) => ({ minLength, maxLength }),
  matches: ([pattern]) => ({ pattern: sourceOf(pattern) }),
  arrayNotEmpty: () => ({ minItems: 1 }),
  arrayMaxSize: ([maxItems]) => ({ maxItems }),
  arrayUnique: () => ({ uniqueItems: true }),
};

/**
 * The rules of a DTO, by field: the same ones the validation pipe goes by, so that the document cannot say other ones.
 *
 * @throws TypeError for a rule it has no words for
 */
export function validationRulesOf(dto: Type): Map<string, FieldRules> {
  const storage = getMetadataStorage();
  const byField = storage.groupByPropertyName(storage.getTargetValidationMetadatas(dto, '', false, false));
  return new Map(
    Object.entries(byField).map(([field, rules]) => {
      const conditions = rules.filter(({ type }) => type === 'conditionalValidation');
      const checks = rules.filter((rule) => !conditions.includes(rule) && rule.type !== 'nestedValidation');
      const keywords = (each: boolean) =>
        together(checks.filter((rule) => (rule.each ?? false) === each).map((rule) => keywordsOf(dto, field, rule)));
      return [
        field,
        {
          own: keywords(false),
          items: keywords(true),
          optional: conditions.length > 0,
          nullable: conditions.some(({ name }) => name === 'isOptional'),
          nested: rules.some(({ type }) => type === 'nestedValidation'),
        },
      ];
    }),
  );
}

type Rule = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

function keywordsOf(dto: Type, field: string, { name = '', constraints, context }: Rule): Keywords {
  const keywords = schemaOfRule(context) ?? KEYWORDS[name]?.(constraints);
  if (keywords === undefined) {
    throw new TypeError(`The OpenAPI document has no words for the rule "${name}" of ${dto.name}.${field}.`);
  }
  return keywords;
}

/** A keyword that two rules give, such as two patterns, holds twice. */
function together(rules: readonly Keywords[]): Keywords {
  const all: Record<string, unknown> = {};
  const more: Keywords[] = [];
  for (const rule of rules) {
    if (Object.keys(rule).some((keyword) => keyword !== 'type' && keyword in all)) more.push(rule);
    else Object.assign(all, rule);
  }
  return more.length > 0 ? { ...all, allOf: more } : all;
}

function sourceOf(pattern: unknown): string {
  if (!(pattern instanceof RegExp)) throw new TypeError('@Matches is given a regular expression.');
  // JSON Schema has no flags; its patterns are read as with `u`.
  if (pattern.flags.replace('u', '') !== '') throw new TypeError(`JSON Schema has no flags: ${String(pattern)}`);
  return pattern.source;
}

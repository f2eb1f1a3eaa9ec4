import type { Type } from '@nestjs/common';
import { TransformationType } from 'class-transformer';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage, type ValidationArguments, ValidationTypes } from 'class-validator';
import { ValidationUtils } from 'class-validator/cjs/validation/ValidationUtils.js';

/** A field of a DTO, as its decorators describe it. */
export interface Field {
  readonly name: string;
  /** `@Type(() => Number)` and `@Transform`, in their order: they make of what was sent what the rules look at. */
  readonly conversions: readonly ((value: unknown, body: object) => unknown)[];
  /** `@IsOptional` and its kin: no rule is asked unless all of these hold. */
  readonly conditions: readonly ((dto: object, value: unknown) => boolean)[];
  /** The first that is broken is named. */
  readonly rules: readonly Rule[];
  /** `@ValidateNested` with `@Type`: an object with fields of its own, or with `each` a list of such. */
  readonly nested: { readonly type: Type; readonly isList: boolean; readonly message: string } | undefined;
}

/** @returns what is wrong with the value; undefined when nothing is */
export type Rule = (value: unknown, dto: object) => string | undefined;

type Metadata = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

const { IS_DEFINED, CUSTOM_VALIDATION, CONDITIONAL_VALIDATION, NESTED_VALIDATION, WHITELIST } = ValidationTypes;
const KNOWN = [IS_DEFINED, CUSTOM_VALIDATION, CONDITIONAL_VALIDATION, NESTED_VALIDATION, WHITELIST];

const SCALARS = new Map<unknown, (value: unknown) => unknown>([
  [String, String],
  [Number, Number],
  [Boolean, Boolean],
]);

/**
 * What the decorators of class-validator and class-transformer say of a class and of those it extends, in the order in
 * which class-validator goes through it.
 *
 * @throws TypeError for a decorator that `readerOf` does not go by
 */
export function fieldsOf(dto: Type): readonly Field[] {
  const [hidden] = [
    ...defaultMetadataStorage.getExposedMetadatas(dto),
    ...defaultMetadataStorage.getExcludedMetadatas(dto),
  ];
  if (hidden?.propertyName !== undefined) throw unreadable(dto, hidden.propertyName, '@Expose or @Exclude');
  const storage = getMetadataStorage();
  const byName = storage.groupByPropertyName(storage.getTargetValidationMetadatas(dto, '', false, false));
  return Object.entries(byName).map(([name, all]) => fieldOf(dto, name, all));
}

/** The class that `@Type` names: of the field, or of the items of a list. */
export function declaredTypeOf(dto: Type, name: string): Type | undefined {
  const type: object | undefined = defaultMetadataStorage.findTypeMetadata(dto, name)?.typeFunction();
  return type !== undefined && isClass(type) ? type : undefined;
}

function isClass(type: object): type is Type {
  return 'prototype' in type;
}

function fieldOf(dto: Type, name: string, all: readonly Metadata[]): Field {
  const ofType = (type: string) => all.filter((metadata) => metadata.type === type);
  const foreign = all.find(({ type }) => !KNOWN.includes(type));
  if (foreign !== undefined) throw unreadable(dto, name, foreign.type);
  const type = declaredTypeOf(dto, name);
  const scalar = SCALARS.get(type);
  const [nested] = ofType(NESTED_VALIDATION);
  if ((nested !== undefined) !== (type !== undefined && scalar === undefined)) {
    throw unreadable(dto, name, '@ValidateNested or @Type of a class without the other');
  }
  const transforms = transformsOf(dto, name);
  return {
    name,
    conversions: scalar === undefined ? transforms : [(value) => converted(value, scalar), ...transforms],
    conditions: ofType(CONDITIONAL_VALIDATION).map(({ constraints: [condition] }) => condition),
    rules: [...ofType(IS_DEFINED), ...ofType(CUSTOM_VALIDATION)].flatMap((metadata) => rulesOf(dto, metadata)),
    nested: type &&
      nested && {
        type,
        isList: nested.each,
        message: ValidationUtils.replaceMessageSpecialTokens(nested.message, {
          targetName: dto.name,
          property: name,
          object: {},
          value: undefined,
          constraints: [],
        }),
      },
  };
}

function transformsOf(dto: Type, key: string): Field['conversions'] {
  const type = TransformationType.PLAIN_TO_CLASS;
  const transforms = defaultMetadataStorage.findTransformMetadatas(dto, key, type);
  return transforms.map(
    ({ transformFn }) =>
      (value, obj) =>
        transformFn({ value, obj, key, type, options: {} }),
  );
}

/** As class-transformer does it. */
function converted(value: unknown, scalar: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => converted(item, scalar));
  return value === null ? null : scalar(value);
}

function rulesOf(dto: Type, metadata: Metadata): Rule[] {
  const { propertyName: property, constraints, constraintCls, each, message, validateIf } = metadata;
  const targetName = dto.name;
  const validators = getMetadataStorage().getTargetValidatorConstraints(constraintCls);
  if (validators.length === 0 || validators.some(({ async }) => async)) {
    throw unreadable(dto, property, 'a rule without a validator, or one that answers later');
  }
  return validators.map(({ instance: validator }) => (value, object) => {
    if (validateIf !== undefined && !validateIf(object, value)) return undefined;
    const args: ValidationArguments = { targetName, property, object, value, constraints };
    const holds =
      each && Array.isArray(value)
        ? value.every((item) => validator.validate(item, args) === true)
        : validator.validate(value, args) === true;
    if (holds) return undefined;
    return ValidationUtils.replaceMessageSpecialTokens(message ?? validator.defaultMessage?.(args) ?? '', args);
  });
}

function unreadable(dto: Type, name: string, what: string): TypeError {
  return new TypeError(`Bodies of ${dto.name} cannot be read: ${name} has ${what}.`);
}

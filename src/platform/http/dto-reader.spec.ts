import 'reflect-metadata';
import { Expose, plainToInstance, Transform, Type } from 'class-transformer';
import {
  Allow,
  ArrayMaxSize,
  IsArray,
  IsDefined,
  IsIn,
  IsInt,
  IsNotEmptyObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
  registerDecorator,
  ValidateBy,
  ValidateIf,
  ValidateNested,
  type ValidationError as FieldError,
  validateSync,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator';
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { ValidationError } from '../../kernel/app-error.js';
import { readerOf } from './dto-reader.js';
import { IsOmittable, IsOmittableOrNull } from './is-omittable.decorator.js';
import { NeedsOneOf } from './needs-one-of.decorator.js';

@ValidatorConstraint({ name: 'isLucky' })
class IsLucky implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return value === 7;
  }

  defaultMessage(): string {
    return '$property of $target is $value';
  }
}

class Part {
  @Max(9)
  @Min(1, { message: '$property ($value) must be $constraint1 or more' })
  @IsInt()
  size: number;

  @IsOptional()
  @IsString()
  name?: string | null;
}

class Base {
  @IsIn(['a', 'b'])
  kind: string;

  @Type(() => Number)
  @IsOptional()
  @IsInt()
  limit: number = 50;
}

class Whole extends Base {
  @Matches(/^[a-z]*$/)
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value))
  @IsDefined()
  word: string;

  @IsOmittable()
  @ArrayMaxSize(2)
  @IsIn(['x', 'y'], { each: true })
  @IsArray()
  choices?: string[];

  @ValidateIf((dto: Whole) => dto.kind === 'b')
  @IsOmittable()
  @IsDefined()
  @IsString()
  onlyForB?: string;

  @IsOmittableOrNull()
  @IsInt({ validateIf: (_, value) => value !== 'auto' })
  auto?: number | 'auto';

  @IsOmittable()
  @ValidateBy({ name: 'isLess', validator: { validate: (value, problem) => value !== problem?.object } })
  @ValidateNested()
  @Type(() => Part)
  @IsNotEmptyObject({ nullable: false })
  part?: Part;

  @ValidateNested({ each: true, message: 'must be a JSON object' })
  @Type(() => Part)
  @ArrayMaxSize(3)
  @IsArray()
  parts: Part[];

  @Allow()
  anything?: unknown;

  @IsOptional()
  @((target: object, propertyName: string) =>
    registerDecorator({ target: target.constructor, propertyName, validator: IsLucky }))
  lucky?: number;
}

interface Mistake {
  path: string;
  message: string;
}

function mistakesOf(read: () => unknown): Mistake[] {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return error.details['errors'] as Mistake[];
  }
  return [];
}

/** What class-validator makes of it by itself. */
function byClassValidator<Dto extends object>(dto: new () => Dto, body: object): { made: Dto; mistakes: Mistake[] } {
  const made = plainToInstance(dto, structuredClone(body));
  const errors = validateSync(made, { whitelist: true, forbidNonWhitelisted: true, stopAtFirstError: true });
  return { made, mistakes: errors.flatMap((error) => flat(error)).slice(0, 20) };
}

function flat({ property, constraints = {}, children = [] }: FieldError, parent = ''): Mistake[] {
  const own = Object.values(constraints).map((message) => ({ path: parent + property, message }));
  return [...own, ...children.flatMap((child) => flat(child, `${parent}${property}.`))];
}

const GOOD = { kind: 'a', word: 'abc', parts: [{ size: 1 }, { size: 9, name: null }] };

const odd = fc.constantFrom<unknown>(
  null,
  0,
  -0,
  1,
  7,
  9,
  10,
  1.5,
  2 ** 53,
  '',
  '7',
  'a',
  'b',
  'x',
  'ABC',
  true,
  [],
  {},
  [1],
  ['x'],
);
const part = fc.record({ size: fc.oneof(fc.constant(3), odd), name: odd, more: odd }, { requiredKeys: [] });
const whole = fc.record(
  {
    kind: fc.oneof(fc.constantFrom('a', 'b'), odd),
    limit: fc.oneof(fc.constantFrom('7', 'no'), odd),
    word: fc.oneof(fc.constant('Word'), odd),
    choices: fc.oneof(fc.array(fc.constantFrom('x', 'y', 'z')), odd),
    onlyForB: odd,
    auto: fc.oneof(fc.constant('auto'), odd),
    // class-validator would also take a list here.
    part: fc.oneof(
      part,
      odd.filter((value) => !Array.isArray(value)),
    ),
    // …and here lists of lists, or one object that is in none.
    parts: fc.array(fc.oneof(part, fc.constantFrom(null, 'text', 5)), { maxLength: 4 }),
    anything: odd,
    lucky: odd,
    unknown: odd,
  },
  { requiredKeys: ['parts'] },
);

const extra = fc.record(
  {
    limit: fc.constantFrom('7', null, 8),
    auto: fc.constantFrom('auto', null, 1, 'manual'),
    anything: odd,
    part: fc.record({ size: fc.integer({ min: 1, max: 10 }) }),
  },
  { requiredKeys: [] },
);

describe('The reader of a DTO', () => {
  const read = readerOf(Whole);

  it('finds the mistakes that class-validator finds, in its words and its order, and makes the same of what is good', () => {
    let good = 0;
    const compare = (body: object): void => {
      const { made, mistakes } = byClassValidator(Whole, body);
      expect(mistakesOf(() => read(body))).toEqual(mistakes);
      if (mistakes.length > 0) return;
      good++;
      expect(read(body)).toStrictEqual(made);
    };
    fc.assert(fc.property(whole, compare), { numRuns: 2000 });
    fc.assert(fc.property(extra, (fields) => compare({ ...GOOD, ...fields })));
    expect(good).toBeGreaterThan(20);
  });

  it('makes objects of the class, with its defaults, and leaves what was sent alone', () => {
    const body = Object.freeze({ ...GOOD, word: 'ABC', part: Object.freeze({ size: 2 }) });
    const made = read(body);
    expect(made).toBeInstanceOf(Whole);
    expect(made.part).toBeInstanceOf(Part);
    expect(made.parts[1]).toBeInstanceOf(Part);
    expect(made).toMatchObject({ limit: 50, word: 'abc' });
    expect(read({ ...GOOD, limit: '7' }).limit).toBe(7);
  });

  it('takes no list for an object, no object for a list, and no list for an item', () => {
    for (const parts of [[[{ size: 1 }]], ['text'], [null]]) {
      expect(mistakesOf(() => read({ ...GOOD, parts }))).toEqual([
        { path: 'parts.0', message: 'must be a JSON object' },
      ]);
    }
    expect(mistakesOf(() => read({ ...GOOD, parts: { size: 1 } }))).toHaveLength(1);
    expect(mistakesOf(() => read({ ...GOOD, part: [{ size: 1 }] }))).toHaveLength(1);
  });

  it.each([null, 'text', 5, 5n, true, [], [GOOD]])('takes no %p for a body', (body) => {
    expect(mistakesOf(() => read(body))).toEqual([{ path: 'body', message: 'must be a JSON object' }]);
  });

  it('takes no body for an empty object, and says which fields it lacks', () => {
    expect(mistakesOf(() => read(undefined))).toEqual(mistakesOf(() => read({})));
    expect(mistakesOf(() => read(undefined))).not.toEqual([]);
  });

  it('knows no field that every object has', () => {
    for (const name of ['toString', 'constructor', 'hasOwnProperty', '__proto__']) {
      const body = { ...GOOD, ...JSON.parse(`{"${name}":{"size":1}}`) };
      const own = JSON.parse(JSON.stringify(body).replace('{', `{"${name}":{"size":1},`));
      expect(mistakesOf(() => read(own))).toEqual([{ path: name, message: `property ${name} should not exist` }]);
    }
  });

  it('asks for one of the fields that are needed', () => {
    @NeedsOneOf('a', 'b')
    class Needy {
      @IsOmittable()
      @IsInt()
      a?: number;
    }
    expect(mistakesOf(() => readerOf(Needy)({}))).toEqual([{ path: 'a', message: 'a or b must be given' }]);
    expect(mistakesOf(() => readerOf(Needy)({ a: 'x' }))).toHaveLength(1);
    expect(readerOf(Needy)({ a: 1 })).toEqual({ a: 1 });
  });

  it('is not made where a decorator would be passed over', () => {
    class Renamed {
      @Expose({ name: 'other' })
      @IsInt()
      field: number;
    }
    class Untyped {
      @ValidateNested()
      field: Part;
    }
    class Unchecked {
      @IsOptional()
      @Type(() => Part)
      field: Part;
    }
    class Late {
      @((target: object, propertyName: string) =>
        registerDecorator({
          target: target.constructor,
          propertyName,
          async: true,
          validator: { validate: () => true },
        }))
      field: number;
    }
    for (const dto of [Renamed, Untyped, Unchecked, Late]) {
      expect(() => readerOf<object>(dto)).toThrow(`Bodies of ${dto.name} cannot be read: field has`);
    }
  });
});

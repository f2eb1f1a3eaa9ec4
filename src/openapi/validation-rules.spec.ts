import 'reflect-metadata';
import {
  ArrayMaxSize,
  IsArray,
  IsEmail,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { describe, expect, it } from '@jest/globals';
import { IsOmittable, IsTimestamp } from '../platform/http/index.js';
import { validationRulesOf } from './validation-rules.js';

class Inner {
  @IsInt()
  count: number;
}

class Whole {
  @Matches(/\S/)
  @Matches(/^[a-z ]+$/u)
  @Length(1, 100)
  @IsString()
  name: string;

  @IsOptional()
  @Max(9)
  @Min(0)
  @IsInt()
  count?: number | null;

  @IsArray()
  @ArrayMaxSize(3)
  @IsIn(['a', 'b'], { each: true })
  choices: string[];

  @IsOmittable()
  @IsTimestamp()
  at?: string;

  @ValidateNested()
  inner: Inner;
}

class More extends Whole {
  @IsIn(['x'])
  kind: string;
}

const required = { optional: false, nullable: false, nested: false };

describe('The rules of a DTO', () => {
  const rules = validationRulesOf(Whole);

  it('are those of its fields, whichever of them is checked first', () => {
    expect(rules.get('name')).toEqual({
      ...required,
      own: { type: 'string', minLength: 1, maxLength: 100, pattern: '^[a-z ]+$', allOf: [{ pattern: '\\S' }] },
      items: {},
    });
  });

  it('say what may be left out, and what may be null', () => {
    const own = { type: 'integer', minimum: 0, maximum: 9 };
    expect(rules.get('count')).toMatchObject({ own, optional: true, nullable: true });
    expect(rules.get('at')).toMatchObject({ optional: true, nullable: false });
  });

  it('tell a list from its items, and a class of its own', () => {
    expect(rules.get('choices')).toMatchObject({ own: { type: 'array', maxItems: 3 }, items: { enum: ['a', 'b'] } });
    expect(rules.get('inner')).toMatchObject({ ...required, nested: true });
  });

  it('are what a rule of our own says it is', () => {
    expect(rules.get('at')?.own).toMatchObject({ type: 'string', format: 'date-time' });
  });

  it('include those of the class it extends', () => {
    expect([...validationRulesOf(More).keys()].toSorted()).toEqual([...rules.keys(), 'kind'].toSorted());
  });

  it('are not told at all when one of them has no words', () => {
    class Unknown {
      @IsEmail()
      address: string;
    }
    class Flagged {
      @Matches(/a/i)
      letter: string;
    }
    expect(() => validationRulesOf(Unknown)).toThrow('no words for the rule "isEmail" of Unknown.address');
    expect(() => validationRulesOf(Flagged)).toThrow('JSON Schema has no flags: /a/i');
  });
});

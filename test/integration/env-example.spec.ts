import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { environmentSchema } from '../../src/config/config.schema.js';

/** `NAME=value` lines, those commented out too. */
const VARIABLE = /^(?:# ?)?([A-Z][A-Z0-9_]*)=(.*)$/;

const lines = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8').split('\n');
const variables = lines.flatMap((line) => {
  const [, name, value] = VARIABLE.exec(line) ?? [];
  return name === undefined || value === undefined ? [] : [{ name, value }];
});

describe('.env.example', () => {
  it('names every variable the server reads, once, and no other', () => {
    const names = variables.map(({ name }) => name);
    expect(names.toSorted()).toEqual(Object.keys(environmentSchema.shape).toSorted());
  });

  it('shows the defaults as they are', () => {
    const asShown = Object.fromEntries(variables.map(({ name, value }) => [name, value]));
    expect(environmentSchema.parse(asShown)).toEqual(environmentSchema.parse({}));
  });

  it('sets nothing by itself', () => {
    expect(lines.filter((line) => line.trim() !== '' && !line.startsWith('#'))).toEqual([]);
  });

  it('says something about each variable', () => {
    const mute = variables.filter(({ name }) => {
      const at = lines.findIndex((line) => VARIABLE.exec(line)?.[1] === name);
      return !isProse(lines[at - 1]);
    });
    expect(mute).toEqual([]);
  });
});

function isProse(line: string | undefined): boolean {
  return line !== undefined && line.startsWith('# ') && !VARIABLE.test(line);
}

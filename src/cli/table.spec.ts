import { describe, expect, it } from '@jest/globals';
import { formatFields, formatTable } from './table.js';

describe('formatTable', () => {
  it('aligns the columns and leaves no blanks at the end of a line', () => {
    const table = formatTable(
      ['NAME', 'STATE'],
      [
        ['a', 'active'],
        ['longer', ''],
      ],
    );
    expect(table.split('\n')).toEqual(['NAME    STATE', 'a       active', 'longer']);
  });

  it('shows a header without rows', () => {
    expect(formatTable(['A', 'B'], [])).toBe('A  B');
  });

  it('cuts a long cell', () => {
    expect(formatTable(['E'], [['x'.repeat(61)]]).split('\n')[1]).toBe(`${'x'.repeat(59)}…`);
  });

  it('lets no cell steer the terminal or start a new line', () => {
    expect(formatTable(['E'], [['\u001b[2Jfake\nline']]).split('\n')[1]).toBe(' [2Jfake line');
  });
});

describe('formatFields', () => {
  it('aligns the values and leaves out what is not there', () => {
    expect(formatFields({ id: '1', status: 'DONE', error: null, later: undefined })).toBe('id      1\nstatus  DONE');
  });
});

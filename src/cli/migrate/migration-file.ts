import type { SchemaDiff } from './schema-diff.js';

const INDENT = ' '.repeat(6);

/** The source text of a migration in the form the others have. @param className ends in its timestamp */
export function migrationFile(className: string, { up, down }: SchemaDiff): string {
  return `import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Generated from the entities. */
export class ${className} implements MigrationInterface {
  readonly name = '${className}';

  async up(runner: QueryRunner): Promise<void> {
${up.map(call).join('\n')}
  }

  async down(runner: QueryRunner): Promise<void> {
${down.map(call).join('\n')}
  }
}
`;
}

function call(statement: string): string {
  const lines = columnsOnLines(statement).map((line) => INDENT + escape(line));
  return ['    await runner.query(`', ...lines, '    `);'].join('\n');
}

/** `CREATE TABLE t (a, b)` with `a` and `b` on lines of their own; any other statement is one line. */
function columnsOnLines(statement: string): string[] {
  const open = statement.indexOf('(');
  if (!statement.startsWith('CREATE TABLE') || !statement.endsWith(')')) return [statement];
  const columns = splitOutsideBrackets(statement.slice(open + 1, -1));
  const last = columns.length - 1;
  return [
    `${statement.slice(0, open).trimEnd()} (`,
    ...columns.map((column, index) => `  ${column}${index < last ? ',' : ''}`),
    ')',
  ];
}

/** At the commas that are in no brackets, string literal or quoted identifier. */
function splitOutsideBrackets(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  let depth = 0;
  for (const [token] of text.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[^'"]/gs)) {
    if (token === '(') depth++;
    if (token === ')') depth--;
    if (token === ',' && depth === 0) {
      parts.push(part.trim());
      part = '';
    } else {
      part += token;
    }
  }
  return [...parts, part.trim()];
}

function escape(line: string): string {
  return line.replace(/[\\`]|\$\{/g, (special) => `\\${special}`);
}

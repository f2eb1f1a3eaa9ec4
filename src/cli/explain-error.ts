const SCHEMA_BEHIND = 'The database lacks a table or column that this version needs. Run: npx holdfast migrate';

/** What went wrong and how to mend it, without a stack. Every message of ours is already that. */
export function explainError(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return explainError(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  const { message } = error;
  const code = 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'ETIMEDOUT':
      return `The database cannot be reached (${code}). Is DATABASE_URL right, and is PostgreSQL running there?`;
    case '28P01':
    case '28000':
    case '3D000':
      return `PostgreSQL refused DATABASE_URL: ${message}.`;
    case '42P01':
    case '42703':
      return SCHEMA_BEHIND;
    default:
      return message || error.name;
  }
}

import { type CanonicalInput, canonicalJson } from '../../../kernel/canonical-json.js';
import { redactText } from './redact-text.js';
import { isSecretName } from './secret-name.js';
import { storableText } from './storable-text.js';

const REDACTED = '[redacted]';

/** An audit line says what happened in a few facts; a document belongs elsewhere. */
const MAX_TEXT = 1_024;
const MAX_NAME = 128;
const MAX_MEMBERS = 64;
const MAX_DEPTH = 6;

/**
 * The details of an audit line as JSON text that jsonb surely takes. Members whose name looks secret and texts that
 * look like credentials or card numbers are redacted, at any depth; long texts, long lists and deep nesting are cut.
 * An integer beyond 2^53 becomes text, because whoever reads the line with JavaScript would lose its last digits.
 * It never throws, because the line must not fail what it records.
 */
export function redactDetails(details: Readonly<Record<string, unknown>>): string {
  return canonicalJson(redactObject(details, 0));
}

function redactValue(value: unknown, depth: number): CanonicalInput | undefined {
  switch (typeof value) {
    case 'string':
      return storableText(redactText(value.slice(0, 2 * MAX_TEXT)), MAX_TEXT);
    case 'number':
      return redactNumber(value);
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? redactNumber(Number(value)) : redactValue(String(value), depth);
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
      if (depth >= MAX_DEPTH) return '[too deep]';
      return Array.isArray(value)
        ? value.slice(0, MAX_MEMBERS).map((item) => redactValue(item, depth + 1) ?? null)
        : redactObject(value, depth + 1);
    default:
      return undefined;
  }
}

function redactNumber(value: number): CanonicalInput {
  if (!Number.isFinite(value)) return null;
  const text = String(value);
  return redactText(text) === text ? value : REDACTED;
}

function redactObject(object: object, depth: number): Record<string, CanonicalInput | undefined> {
  return Object.fromEntries(
    Object.entries(object)
      .slice(0, MAX_MEMBERS)
      .map(([name, value]) => [storableText(name, MAX_NAME), redactMember(name, value, depth)]),
  );
}

/** Whether there is a password says nothing about it: true, false and null stay. */
function redactMember(name: string, value: unknown, depth: number): CanonicalInput | undefined {
  if (typeof value === 'boolean' || value === null || value === undefined) return value;
  return isSecretName(name.slice(0, MAX_NAME)) ? REDACTED : redactValue(value, depth);
}

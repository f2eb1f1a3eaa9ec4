import { parse, type ParsedUrlQuery } from 'node:querystring';

const PREFIX = 'metadata.';

/** What becomes of them on the way is no field of an object: they stay unknown fields. */
const NOT_FACTS = new Set(['__proto__', 'constructor', 'prototype']);

/** A query in which `metadata.<key>=<value>` is a filter by the caller's own facts: they come together as one field. */
export function parseQuery(text: string): Record<string, unknown> {
  const query: ParsedUrlQuery = parse(text);
  if (!text.includes('metadata')) return query;
  const metadata: Record<string, unknown> = Object.create(null);
  const others: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(query)) {
    if (name.startsWith(PREFIX) && !NOT_FACTS.has(name.slice(PREFIX.length)))
      metadata[name.slice(PREFIX.length)] = value;
    else others[name] = value;
  }
  return Object.keys(metadata).length === 0 ? query : { ...others, metadata };
}

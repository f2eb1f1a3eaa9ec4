import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, ValidationError } from '../../kernel/app-error.js';
import { ArrivingBodies, receiveBody } from './receive-body.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The handler gets the body as the exact bytes received (`Buffer`), whatever its content type. */
    rawBody?: boolean;
    /** Bytes; a route whose JSON may be larger than that of others. */
    bodyLimit?: number;
  }
}

/** `@RouteConfig(RAW_BODY)`: the route gets the exact bytes, up to the webhook body limit. */
export const RAW_BODY = { rawBody: true } as const;

export interface BodyLimits {
  /** Bytes. */
  api: number;
  /** Bytes, of the source a request is for. */
  webhook: (request: FastifyRequest) => number;
}

/** Bytes of all bodies that are half here, over 5 of the largest that GitHub sends; what has arrived is counted elsewhere. */
const MAX_ARRIVING = 128 * 1024 * 1024;

const NOTHING = Buffer.alloc(0);

/** Deeper JSON than this serves nobody but an attacker. */
const MAX_DEPTH = 32;
/**
 * Values in a body at most, told by what separates them: a batch of 1,000 transfers has 7,000. A megabyte of brackets is
 * half a million, takes half a second to read, and comes before anybody is asked for a credential.
 */
const MAX_SEPARATORS = 50_000;
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

class UnsupportedMediaTypeError extends AppError {
  readonly code = 'UNSUPPORTED_MEDIA_TYPE';
  readonly status = 415;
  readonly title = 'Unsupported media type';
}

/**
 * Replaces Fastify's parsers: one route in the system must see raw bytes before anything is parsed, all others take
 * JSON only. Limits are enforced while reading, with or without a Content-Length.
 */
export function installBodyParser(fastify: FastifyInstance, limits: BodyLimits): void {
  const bodies = new ArrivingBodies(MAX_ARRIVING);
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    // Every content type, and none. Not `*`: for that Fastify parses the type anew each time (2 µs), and remembers for this.
    /^/,
    (request: FastifyRequest, _payload, done) => {
      const { rawBody, bodyLimit = 0 } = request.routeOptions.config;
      if (rawBody) {
        receiveBody(request, limits.webhook(request), bodies, done);
        return;
      }
      receiveBody(request, Math.max(limits.api, bodyLimit), bodies, (error, body = NOTHING) => {
        if (error !== null) return done(error);
        let value: unknown;
        try {
          value = parseJson(request, body);
        } catch (refusal) {
          return done(refusal as Error);
        }
        done(null, value);
      });
    },
  );
}

function parseJson(request: FastifyRequest, body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) {
    throw new UnsupportedMediaTypeError('Send the body as JSON with Content-Type: application/json.');
  }
  if (!isUtf8(body)) throw new ValidationError('The body is not valid UTF-8, which JSON must be.');
  if (body.length > MAX_SEPARATORS && separators(body) > MAX_SEPARATORS) {
    throw new ValidationError(`The body has more than ${MAX_SEPARATORS} values.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new ValidationError('The body is not valid JSON.');
  }
  refuseDangerous(value, 0);
  return value;
}

/** Those inside of texts count as well: who sends fifty thousand commas can send them in two requests. */
function separators(body: Buffer): number {
  let found = 0;
  // Comma, opening bracket, opening brace: each begins a value.
  for (const byte of body) if (byte === 0x2c || byte === 0x5b || byte === 0x7b) found += 1;
  return found;
}

/**
 * Prototype poisoning, and what PostgreSQL's text or jsonb cannot hold (NUL, half of a surrogate pair), are refused here
 * once, so that nothing behind has to think of them.
 */
function refuseDangerous(value: unknown, depth: number): void {
  if (typeof value === 'string' && value.includes('\0')) {
    throw new ValidationError('The body may not contain the character NUL (\\u0000).');
  }
  if (typeof value === 'string' && !value.isWellFormed()) {
    throw new ValidationError('The body may not contain half of a surrogate pair, such as \\ud800 alone.');
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_DEPTH) throw new ValidationError(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  if (!Array.isArray(value)) {
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      if (Object.hasOwn(value, key)) throw new ValidationError(`The body may not contain the key "${key}".`);
    }
  }
  for (const child of Object.values(value)) refuseDangerous(child, depth + 1);
}

/** The same for paths and queries. @returns the refusal, for Fastify's `done` */
export function refuseNul(url: string): ValidationError | undefined {
  return url.includes('%00') ? new ValidationError('The URL may not contain the character NUL (%00).') : undefined;
}

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/app-error.js';
import { ArrivingBodies, receiveBody } from './receive-body.js';
import { parseRequestJson } from './request-json.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The handler gets the body as the exact bytes received (`Buffer`), whatever its content type. */
    rawBody?: boolean;
    /** Bytes; a route whose JSON may be larger than that of others. */
    bodyLimit?: number;
    /** Of a route whose JSON may hold more values than that of others. */
    maxValues?: number;
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
  return parseRequestJson(body, request.routeOptions.config.maxValues);
}

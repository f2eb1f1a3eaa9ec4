import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onRequestHookHandler,
  onSendHookHandler,
  RouteOptions,
} from 'fastify';
import { createHash } from 'node:crypto';

/** Seconds a cache may give a document without asking; after that it asks whether the one it has is still the same. */
const MAX_AGE = 300;

interface Document {
  body: Buffer;
  type: string;
  headers: { etag: string; 'cache-control': string };
}

/**
 * Answers documents, which are the same for everybody until the program is another one, out of memory from the second GET
 * on, always from the same bytes, and with 304 who has them already. To build one takes as long as hundreds of requests,
 * and each copy as much memory as it has bytes. Before any route is added.
 *
 * @param isDocument by its address in the router, without parameters
 */
export function keepDocuments(fastify: FastifyInstance, isDocument: (url: string) => boolean): void {
  /** By the route's address, not the request's: that has as many forms as a caller likes. */
  const documents = new Map<string, Document>();

  fastify.addHook('onRoute', (route: RouteOptions) => {
    const { url } = route;
    if (!isDocument(url)) return;
    const give: onRequestHookHandler = (request, reply, done) => {
      const document = documents.get(url);
      if (document === undefined) done();
      else answer(request, reply, document);
    };
    const keep: onSendHookHandler = (request, reply, payload, done) => {
      if (typeof payload !== 'string' || reply.statusCode !== 200 || request.method !== 'GET')
        return done(null, payload);
      const document = toDocument(payload, String(reply.getHeader('content-type')));
      documents.set(url, document);
      reply.headers(document.headers);
      done(null, document.body);
    };
    route.onRequest = [route.onRequest ?? [], give].flat();
    route.onSend = [route.onSend ?? [], keep].flat();
  });
}

function toDocument(payload: string, type: string): Document {
  const body = Buffer.from(payload);
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  return { body, type, headers: { etag, 'cache-control': `public, max-age=${MAX_AGE}` } };
}

function answer(request: FastifyRequest, reply: FastifyReply, { body, type, headers }: Document): void {
  void reply.headers(headers);
  if (matches(request.headers['if-none-match'], headers.etag)) void reply.status(304).send();
  else void reply.type(type).send(body);
}

/** RFC 9110, section 13.1.2: whether one of the tags is this one, however weakly. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag || tag.trim() === '*');
}

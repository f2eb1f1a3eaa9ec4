import type { FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import { AppError, UnavailableError } from '../../kernel/app-error.js';
import { networkOf } from '../rate-limit/index.js';
import { hasTimedOut } from './client-error.js';

/** 413: more than this route, or this source of webhooks, takes. */
export class PayloadTooLargeError extends AppError {
  readonly code = 'PAYLOAD_TOO_LARGE';
  readonly status = 413;
  readonly title = 'Payload Too Large';

  constructor(limitBytes: number) {
    super(`The body has more than ${limitBytes} bytes, which is all that is taken here.`, { details: { limitBytes } });
  }
}

/** 408: found out by Node, which has answered it. */
export class RequestTimeoutError extends AppError {
  readonly code = 'REQUEST_TIMEOUT';
  readonly status = 408;
  readonly title = 'Request Timeout';
}

/** The sender went away in the middle of the body; nobody reads an answer. */
export class RequestAbortedError extends AppError {
  readonly code = 'REQUEST_ABORTED';
  readonly status = 400;
  readonly title = 'Request aborted';
}

/** 503: more bodies arrive at once than there is memory for, and this one is the largest of whoever sends most. */
export class ReceivingOverloadedError extends UnavailableError {
  override readonly code = 'OVERLOADED';
  override readonly title = 'Overloaded';
}

/** A body of which a part is here. */
interface Arriving {
  readonly sender: string;
  bytes: number;
  giveWay(): void;
}

/**
 * The memory that bodies take while they arrive. Whoever half-sends many large ones must neither use up the process nor
 * shut others out: over the limit the sender with the most bytes loses the largest of his bodies.
 */
export class ArrivingBodies {
  private readonly arriving = new Set<Arriving>();
  private bytes = 0;

  constructor(private readonly limitBytes: number) {}

  get heldBytes(): number {
    return this.bytes;
  }

  /** Enters a body, or more of one. */
  grow(body: Arriving, bytes: number): void {
    if (!this.arriving.has(body)) {
      this.arriving.add(body);
      this.bytes += body.bytes;
    }
    body.bytes += bytes;
    this.bytes += bytes;
    // One alone may be as large as its own limit lets it.
    if (this.bytes > this.limitBytes && this.arriving.size > 1) this.largestOfGreediest()?.giveWay();
  }

  leave(body: Arriving): void {
    if (this.arriving.delete(body)) this.bytes -= body.bytes;
  }

  private largestOfGreediest(): Arriving | undefined {
    const bySender = new Map<string, number>();
    for (const { sender, bytes } of this.arriving) bySender.set(sender, (bySender.get(sender) ?? 0) + bytes);
    let found: Arriving | undefined;
    let most = 0;
    for (const body of this.arriving) {
      const all = bySender.get(body.sender) ?? 0;
      if (found !== undefined && (all < most || (all === most && body.bytes <= found.bytes))) continue;
      found = body;
      most = all;
    }
    return found;
  }
}

/** What a body without a length is given at first, and twice as much whenever that is not enough. */
const FIRST_ROOM = 128 * 1024;

type Done = (error: Error | null, body?: Buffer) => void;

/**
 * Reads a body of at most so many bytes, told by its Content-Length or counted while it comes. One that arrives in one
 * piece, as most do, is not entered anywhere.
 *
 * @param done is given the exact bytes, or PayloadTooLargeError (413), ReceivingOverloadedError (503),
 *   RequestTimeoutError (408), RequestAbortedError
 */
export function receiveBody(request: FastifyRequest, limitBytes: number, bodies: ArrivingBodies, done: Done): void {
  // Node remembers an address it was asked for, and has no other once the connection is gone.
  const { raw, ip } = request;
  // NaN without one.
  const declared = Number(raw.headers['content-length']);
  if (declared > limitBytes) {
    done(new PayloadTooLargeError(limitBytes));
    return;
  }
  let first: Buffer | undefined;
  let whole: Buffer | undefined;
  let arriving: Arriving | undefined;
  let received = 0;

  const finish: Done = (error, body) => {
    raw.off('data', onData).off('end', onEnd).off('error', onError);
    if (arriving !== undefined) bodies.leave(arriving);
    done(error, body);
  };
  const onData = (chunk: Buffer) => {
    const before = received;
    received += chunk.length;
    if (received > limitBytes) {
      finish(new PayloadTooLargeError(limitBytes));
      return;
    }
    if (first === undefined) {
      first = chunk;
      return;
    }
    // Copied as they come: a list of chunks of one byte would take a hundred times the memory of the bytes.
    whole ??= withRoom(first, before, received, declared, limitBytes);
    if (received > whole.length) whole = withRoom(whole, before, received, declared, limitBytes);
    chunk.copy(whole, before);
    arriving ??= { sender: networkOf(ip), bytes: before, giveWay: () => finish(overloaded()) };
    bodies.grow(arriving, chunk.length);
  };
  const onEnd = () => finish(null, whole?.subarray(0, received) ?? Buffer.concat(first === undefined ? [] : [first]));
  const onError = () => finish(interruption(raw.socket));
  raw.on('data', onData).on('end', onEnd).on('error', onError);
}

function withRoom(part: Buffer, used: number, needed: number, declared: number, limitBytes: number): Buffer {
  const size = Number.isNaN(declared) ? Math.min(Math.max(FIRST_ROOM, 2 * needed), limitBytes) : declared;
  const larger = Buffer.allocUnsafe(Math.max(size, needed));
  part.copy(larger, 0, 0, used);
  return larger;
}

function overloaded(): ReceivingOverloadedError {
  return new ReceivingOverloadedError('Too many large bodies arrive at once. Send it again.', { retryAfter: 5 });
}

function interruption(socket: Socket): AppError {
  return hasTimedOut(socket)
    ? new RequestTimeoutError('The request did not arrive completely in time.')
    : new RequestAbortedError('The sender went away before the request was complete.');
}

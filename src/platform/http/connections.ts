import type { FastifyInstance } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of a connection at most that wait for their answers: pipelining more serves nobody, and costs memory each. */
const MAX_UNANSWERED = 64;
/** Bytes of answers that its other end may leave unread and still ask for more. */
const MAX_UNREAD = 1024 * 1024;
/** Bytes a millisecond, 64 KiB a second: an answer of many MiB may take its reader so much longer. */
const SLOWEST_READER = 65.536;

interface Connection {
  unanswered: number;
  /** Answered what it had asked before, and then closed: no more of it is looked at. */
  isClosing: boolean;
  /** Bytes the system had taken at the last look at which there were more than at the one before. */
  taken: number;
  takenAt: number;
}

/**
 * Who asks and does not read must not fill the memory. Beyond so many requests without an answer, or bytes unread, a
 * connection gets the answers it is owed and is closed; and one whose other end takes nothing of what is written for it
 * is cut, whatever it sends meanwhile. Before any hook that costs something.
 *
 * @param patienceMs how long nothing may be taken of a small answer
 */
export function boundConnections(fastify: FastifyInstance, patienceMs: number): void {
  const connections = new Map<Socket, Connection>();

  fastify.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    const connection = connections.get(socket) ?? enter(socket);
    if (connection.isClosing || connection.unanswered >= MAX_UNANSWERED || socket.writableLength > MAX_UNREAD) {
      connection.isClosing = true;
      // Never answered: the connection ends with the answers before it.
      reply.hijack();
      if (connection.unanswered === 0) socket.destroySoon();
      return;
    }
    connection.unanswered += 1;
    reply.raw.on('close', answered);
    done();
  });

  function enter(socket: Socket): Connection {
    const connection = { unanswered: 0, isClosing: false, taken: 0, takenAt: performance.now() };
    connections.set(socket, connection);
    socket.once('close', () => connections.delete(socket));
    return connection;
  }

  function answered(this: ServerResponse): void {
    const { socket } = this.req;
    const connection = connections.get(socket);
    if (connection === undefined) return;
    connection.unanswered -= 1;
    if (connection.isClosing && connection.unanswered === 0) socket.destroySoon();
  }

  const looking = setInterval(
    () => {
      const now = performance.now();
      for (const [socket, connection] of connections) {
        const { writableLength } = socket;
        const taken = socket.bytesWritten - writableLength;
        if (writableLength === 0 || taken !== connection.taken) Object.assign(connection, { taken, takenAt: now });
        else if (now - connection.takenAt > patienceMs + writableLength / SLOWEST_READER) socket.destroy();
      }
    },
    Math.min(patienceMs, 5000),
  ).unref();
  fastify.addHook('onClose', (_instance, done) => {
    clearInterval(looking);
    done();
  });
}

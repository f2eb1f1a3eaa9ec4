import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { createDataSource } from './data-source.js';

let server: Server;
afterEach(() => void server.close());

/** https://www.postgresql.org/docs/current/protocol-message-formats.html */
function message(type: string, body: string): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, Buffer.from(body, 'latin1')]);
}

/** Lets everybody in, and in the same breath ends the connection, as PostgreSQL may when it is shut down. */
async function serverThatIsShutDown(): Promise<string> {
  const goodbye = 'SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0';
  const everything = [message('R', '\0\0\0\0'), message('Z', 'I'), message('E', goodbye)];
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat(everything)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port');
  return `postgres://holdfast@127.0.0.1:${address.port}/holdfast`;
}

it('a connection that is ended together with its login fails who asked for it, and not the process', async () => {
  const pool = { poolSize: 2, poolTimeoutMs: 2000, statementTimeoutMs: 2000, onIdleClientError: () => undefined };
  const dataSource = createDataSource(await serverThatIsShutDown(), { entities: [], migrations: [] }, pool);
  await expect(dataSource.initialize()).rejects.toThrow();
});

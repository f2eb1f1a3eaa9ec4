import { Client, type ClientConfig } from 'pg';

/**
 * A client whose connection may break at any moment. The pool stops listening for errors when it hands a client out, and
 * TypeORM starts a moment later: an error that arrives together with the answer to the login would end the process.
 * Whoever uses the client learns of it from the next query.
 */
export class WatchedClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}

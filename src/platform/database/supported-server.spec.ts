import { describe, expect, it } from '@jest/globals';
import { DatabaseUnsupportedError, requireSupportedServer } from './supported-server.js';

const GOOD = { number: 180_000, version: '18.0', encoding: 'UTF8' };

describe('requireSupportedServer', () => {
  it.each([GOOD, { ...GOOD, number: 190_002, version: '19.2 (Debian 19.2-1.pgdg13+1)' }])(
    'takes $version',
    (server) => {
      expect(() => requireSupportedServer(server)).not.toThrow();
    },
  );

  it('refuses a PostgreSQL before 18, names both versions and the way out, in one line', () => {
    const act = () => requireSupportedServer({ ...GOOD, number: 170_099, version: '17.99 (Debian 17.99-1)' });
    expect(act).toThrow(DatabaseUnsupportedError);
    expect(act).toThrow(/^PostgreSQL 18 or newer is needed; DATABASE_URL is 17\.99\. .+ newer one\.$/);
  });

  it('refuses a database that does not keep text as UTF-8', () => {
    const act = () => requireSupportedServer({ ...GOOD, encoding: 'SQL_ASCII' });
    expect(act).toThrow(DatabaseUnsupportedError);
    expect(act).toThrow(/^A database in UTF8 is needed; .+ SQL_ASCII\. .+$/);
  });
});

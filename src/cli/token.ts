import type { Command } from 'commander';
import { AccessTokens } from '../modules/accounts/index.js';
import { DatabaseClock } from '../platform/clock/index.js';
import { withApplication } from './application.js';
import { examples } from './examples.js';
import { type Expiry, expiry } from './options.js';
import { print, remark } from './output.js';
import type { Settings } from './settings.js';

interface Options {
  user: string;
  expires: Expiry;
}

const QUARTER_HOUR: Expiry = { afterMs: 900_000 };

export function registerToken(token: Command, settings: Settings): void {
  token
    .command('create')
    .description('sign an access token for an end user with JWT_SECRET and print it on standard output')
    .requiredOption('--user <id>', 'whose accounts it opens: the userId of the API')
    .option('--expires <when>', 'a time, RFC 3339, or 2h from now; 15m unless told, 24h at most', expiry, QUARTER_HOUR)
    .addHelpText('after', examples('token create --user ann', 'token create --user ann --expires 2h'))
    .action((options: Options) => create(settings, options));
}

async function create(settings: Settings, { user, expires }: Options): Promise<void> {
  await withApplication(settings.config, async (app) => {
    const lifetimeMs = 'at' in expires ? expires.at.getTime() - app.get(DatabaseClock).now() : expires.afterMs;
    const { token, expiresAt } = await app.get(AccessTokens).issue(user, lifetimeMs);
    remark(`An access token for the user "${user}", until ${new Date(expiresAt).toISOString()}:`);
    print(token);
  });
}

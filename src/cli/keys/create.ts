import { type Command, InvalidArgumentError } from 'commander';
import { ApiKeysService } from '../../modules/api-keys/index.js';
import { isScope, type Scope, SCOPES } from '../../platform/auth/index.js';
import { DatabaseClock } from '../../platform/clock/index.js';
import { operator, withApplication } from '../application.js';
import { examples } from '../examples.js';
import { type Expiry, expiry } from '../options.js';
import { print, remark } from '../output.js';
import type { Settings } from '../settings.js';

interface Options {
  name: string;
  scopes: Scope[];
  expires?: Expiry;
}

export function registerCreate(keys: Command, settings: Settings): void {
  keys
    .command('create')
    .description('make an API key and print it, this one time, on standard output')
    .requiredOption('--name <name>', 'what it is for', keyName)
    .requiredOption('--scopes <a,b>', `what it may do, of: ${SCOPES.join(', ')}`, scopes)
    .option('--expires <when>', 'a time, RFC 3339, or 90m, 12h, 30d from now', expiry)
    .addHelpText(
      'after',
      examples(
        'keys create --name operator --scopes admin',
        'keys create --name ci --scopes webhooks:read,webhooks:write --expires 30d',
      ),
    )
    .action((options: Options) => create(settings, options));
}

async function create(settings: Settings, { name, scopes: granted, expires }: Options): Promise<void> {
  await withApplication(settings.config, async (app) => {
    const expiresAt =
      expires && ('at' in expires ? expires.at : new Date(app.get(DatabaseClock).now() + expires.afterMs));
    const created = await app
      .get(ApiKeysService)
      .create({ name, scopes: granted, expiresAt: expiresAt ?? null }, { kind: 'operator' }, operator());
    const until = created.expiresAt ? `until ${created.expiresAt.toISOString()}` : 'without an end';
    remark(`Created the key "${name}" (${created.id}): ${granted.join(', ')}, ${until}. It is shown only this once:`);
    print(created.key);
  });
}

function keyName(text: string): string {
  if (!/^(?=.*\S)\P{Cc}{1,100}$/u.test(text)) {
    throw new InvalidArgumentError('It must have 1 to 100 characters, one of them visible, and no control characters.');
  }
  return text;
}

function scopes(text: string): Scope[] {
  const given = text.split(',').map((scope) => scope.trim());
  const known = [...new Set(given)].filter(isScope);
  const unknown = given.find((scope) => !isScope(scope));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`"${unknown}" is not a scope. Scopes are ${SCOPES.join(', ')}.`);
  }
  return known;
}

import { type Command, InvalidArgumentError } from 'commander';
import { type EmailAddress, emailAddress } from '../kernel/email-address.js';
import { type Role, ROLES, type Subscription, SUBSCRIPTIONS, UsersService } from '../modules/accounts/index.js';
import { operator, withApplication } from './application.js';
import { CliError } from './cli.error.js';
import { examples } from './examples.js';
import { print, remark } from './output.js';
import type { Settings } from './settings.js';
import { formatTable } from './table.js';

const LARGEST_PAGE = 200;

type User = Awaited<ReturnType<UsersService['find']>>;

export function registerUsers(users: Command, settings: Settings): void {
  users
    .command('list')
    .description('the newest users')
    .option('--email <address>', 'only the one with this address', address)
    .option('--json', 'for programs: an array of users')
    .addHelpText('after', examples('users list', 'users list --email ann@example.com --json'))
    .action(({ email, json }: { email?: EmailAddress; json?: boolean }) => list(settings, email, json ?? false));
  users
    .command('role')
    .description('make a user an operator or admin, or a user again; every session of theirs ends')
    .argument('<address>', 'the e-mail address of the account', address)
    .argument('<role>', ROLES.join(', '), oneOf(ROLES))
    .addHelpText('after', examples('users role ann@example.com admin'))
    .action((email: EmailAddress, role: Role) =>
      change(settings, email, (service, { id }) => service.setRole(id, role, operator())),
    );
  users
    .command('subscription')
    .description('set what a user pays for')
    .argument('<address>', 'the e-mail address of the account', address)
    .argument('<tier>', SUBSCRIPTIONS.join(', '), oneOf(SUBSCRIPTIONS))
    .addHelpText('after', examples('users subscription ann@example.com pro'))
    .action((email: EmailAddress, tier: Subscription) =>
      change(settings, email, (service, { id }) => service.setSubscription(id, tier, operator())),
    );
}

async function list(settings: Settings, email: EmailAddress | undefined, json: boolean): Promise<void> {
  await withApplication(settings.config, async (app) => {
    const { data, nextCursor } = await app.get(UsersService).list(LARGEST_PAGE, undefined, email);
    print(json ? JSON.stringify(data, null, 2) : formatTable(HEADER, data.map(row)));
    if (nextCursor !== null) remark(`These are the newest ${LARGEST_PAGE}; GET /api/users pages through all.`);
  });
}

async function change(
  settings: Settings,
  email: EmailAddress,
  write: (service: UsersService, user: User) => Promise<User>,
): Promise<void> {
  await withApplication(settings.config, async (app) => {
    const service = app.get(UsersService);
    const [user] = (await service.list(1, undefined, email)).data;
    if (!user)
      throw new CliError(
        `No user has the address ${email}. They register themselves, POST /api/auth/register, and open the link in the mail.`,
      );
    print(formatTable(HEADER, [row(await write(service, user))]));
  });
}

const HEADER = ['ID', 'EMAIL', 'ROLE', 'SUBSCRIPTION', 'VERIFIED', 'CREATED'];

function row({ id, email, role, subscription, emailVerifiedAt, createdAt }: User): string[] {
  return [id, email, role, subscription, emailVerifiedAt.toISOString(), createdAt.toISOString()];
}

function address(text: string): EmailAddress {
  const email = emailAddress(text);
  if (email === undefined) throw new InvalidArgumentError('It is no e-mail address.');
  return email;
}

function oneOf<T extends string>(values: readonly T[]): (text: string) => T {
  return (text) => {
    const value = values.find((each) => each === text);
    if (value === undefined) throw new InvalidArgumentError(`It must be one of ${values.join(', ')}.`);
    return value;
  };
}

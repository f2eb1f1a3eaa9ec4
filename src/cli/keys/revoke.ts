import type { Command } from 'commander';
import { ApiKeysService } from '../../modules/api-keys/index.js';
import { operator, withApplication } from '../application.js';
import { examples } from '../examples.js';
import { print } from '../output.js';
import type { Settings } from '../settings.js';

const EXAMPLE = '0199d3a2-5e4c-7a10-9b7e-3f1c2d4e5f60';

export function registerRevoke(keys: Command, settings: Settings): void {
  keys
    .command('revoke')
    .description('end an API key for good; servers refuse it within a second')
    .argument('<id>', 'from keys list')
    .option('--descendants', 'also the keys that this admin key made; those of other keys end with them anyway')
    .addHelpText('after', examples(`keys revoke ${EXAMPLE}`, `keys revoke ${EXAMPLE} --descendants`))
    .action((id: string, { descendants = false }: { descendants?: boolean }) => revoke(settings, id, descendants));
}

async function revoke(settings: Settings, id: string, descendants: boolean): Promise<void> {
  await withApplication(settings.config, async (app) => {
    const service = app.get(ApiKeysService);
    await service.revoke(id, operator(), { descendants });
    const { name, prefix, revokedAt } = await service.find(id);
    print(`The key "${name}" (${prefix}…) is revoked since ${revokedAt?.toISOString()}.`);
  });
}

import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { ConflictError } from '../../../kernel/app-error.js';
import { PROVIDER_NAMES, type ProviderName } from '../providers/webhook-provider.js';
import { SourceDirectory } from './source-directory.js';
import { SourcesService } from './sources.service.js';

const CONTEXT = { actor: 'system:environment' };

/**
 * Makes a source named after its provider for every `*_WEBHOOK_SECRET` given. A changed variable is a rotation without
 * overlap; a variable that is gone leaves the source as it is, to be changed through the API.
 */
@Injectable()
export class EnvironmentSources implements OnApplicationBootstrap {
  private readonly logger = new Logger(EnvironmentSources.name);

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly directory: SourceDirectory,
    private readonly sources: SourcesService,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    for (const provider of PROVIDER_NAMES) {
      const secret = this.config.webhookSecrets[provider];
      if (secret !== undefined) await this.provide(provider, secret);
    }
  }

  private async provide(provider: ProviderName, secret: string): Promise<void> {
    const source = this.directory.find(provider);
    if (!source) {
      try {
        await this.sources.create({ name: provider, provider, secret }, CONTEXT, 'environment');
      } catch (error) {
        // Another replica that starts right now was first.
        if (!(error instanceof ConflictError)) throw error;
      }
    } else if (!source.secrets().some(({ value }) => value === secret)) {
      this.logger.warn(`The secret of source "${provider}" in the environment is a new one; it replaces the old`);
      await this.sources.rotate(provider, { secret, overlapSeconds: 0 }, CONTEXT, 'environment');
    }
  }
}

import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { ConflictError } from '../../../kernel/app-error.js';
import { PROVIDER_NAMES, type ProviderName } from '../providers/webhook-provider.js';
import { SourceDirectory } from './source-directory.js';
import { SourcesService } from './sources.service.js';

const CONTEXT = { actor: 'system:environment' };

/** Makes a source named after its provider for every `*_WEBHOOK_SECRET` given, and keeps its secret up to date. */
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
    if (!this.directory.find(provider)) {
      try {
        await this.sources.create({ name: provider, provider, secret }, CONTEXT, { origin: 'environment' });
        return;
      } catch (error) {
        // Another replica that starts right now was first; its secret may be another.
        if (!(error instanceof ConflictError)) throw error;
      }
    }
    const found = await this.sources.adopt(provider, secret, CONTEXT);
    if (found === 'replaced') this.logger.warn(`Source "${provider}" has a new secret from its environment variable`);
    if (found === 'unreadable') {
      this.logger.warn(
        `Source "${provider}" has a secret that cannot be read; the one from its environment variable is accepted beside it`,
      );
    }
    if (found === 'expired') {
      this.logger.warn(
        `The environment variable of source "${provider}" holds a secret that was rotated out; it is not accepted`,
      );
    }
  }
}

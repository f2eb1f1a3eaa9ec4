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
      if (secret !== undefined) await this.provide(provider, provider, secret);
    }
  }

  /** Makes a source of this name, or gives the one there is this secret. For modules that bring a sender with them, too. */
  async provide(name: string, provider: ProviderName, secret: string): Promise<void> {
    if (!this.directory.find(name)) {
      try {
        await this.sources.create({ name, provider, secret }, CONTEXT, { origin: 'environment' });
        return;
      } catch (error) {
        // Another replica that starts right now was first; its secret may be another.
        if (!(error instanceof ConflictError)) throw error;
      }
    }
    const found = await this.sources.adopt(name, secret, CONTEXT);
    if (found === 'replaced') this.logger.warn(`Source "${name}" has a new secret from its environment variable`);
    if (found === 'unreadable') {
      this.logger.warn(
        `Source "${name}" has a secret that cannot be read; the one from its environment variable is accepted beside it`,
      );
    }
    if (found === 'expired') {
      this.logger.warn(
        `The environment variable of source "${name}" holds a secret that was rotated out; it is not accepted`,
      );
    }
  }
}

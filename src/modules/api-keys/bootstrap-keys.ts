import { Injectable, Logger } from '@nestjs/common';
import { isApiKey } from '../../kernel/api-key-format.js';
import type { RequestContext } from '../../platform/auth/index.js';
import { READ_COMMITTED, Transactor } from '../../platform/transaction/index.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { hashApiKey } from './api-key.verifier.js';
import { ApiKeysService } from './api-keys.service.js';

const SYSTEM: RequestContext = { actor: 'system' };

/** The keys that exist before anyone could ask for one. Safe to run on every start of every replica. */
@Injectable()
export class BootstrapKeys {
  private readonly logger = new Logger(BootstrapKeys.name);

  constructor(
    private readonly transactor: Transactor,
    private readonly repository: ApiKeyRepository,
    private readonly service: ApiKeysService,
  ) {}

  /**
   * Registers `BOOTSTRAP_API_KEY` as an admin key. One that is known already stays as it is: a start must not undo a
   * revocation.
   *
   * @throws RangeError when it cannot be a key
   */
  async ensureBootstrapKey(key: string): Promise<void> {
    if (!isApiKey(key)) {
      throw new RangeError('BOOTSTRAP_API_KEY must start with hf_ and have at least 32 printable characters.');
    }
    const registered = await this.transactor.run(
      (tx) => this.service.register(tx, key, { name: 'bootstrap', scopes: ['admin'] }, SYSTEM),
      READ_COMMITTED,
    );
    if (!registered) await this.warnIfUseless(key);
  }

  /**
   * Creates the key `first admin` unless some admin key is active. Of several processes starting at once, one does.
   *
   * @returns the key, which nobody can read again, or null when none was needed
   */
  ensureFirstAdminKey(): Promise<string | null> {
    return this.transactor.run(
      async (tx) => {
        await this.repository.lockFirstAdmin(tx);
        if (await this.repository.hasActiveAdmin(tx)) return null;
        const { key } = await this.service.issue(tx, { name: 'first admin', scopes: ['admin'] }, SYSTEM);
        return key;
      },
      // Not SERIALIZABLE: its snapshot is taken before the wait for the lock and would miss the winner's key.
      READ_COMMITTED,
    );
  }

  private async warnIfUseless(key: string): Promise<void> {
    const [state] = await this.repository.findStates([hashApiKey(key)]);
    if (!state) return;
    const flaw = state.revoked
      ? 'was revoked'
      : state.expired
        ? 'has expired'
        : state.scopes.includes('admin')
          ? undefined
          : 'exists without the scope admin';
    if (flaw) this.logger.warn(`BOOTSTRAP_API_KEY (${state.prefix}…, ${state.id}) ${flaw} and stays so; set another.`);
  }
}

import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CONFIG, type Config } from '../../../config/index.js';
import { AddressList } from '../../../kernel/address-list.js';
import { ConflictError, NotFoundError, ValidationError } from '../../../kernel/app-error.js';
import { newId } from '../../../kernel/ids.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import { SecretBox } from '../../../platform/encryption/index.js';
import { IdempotentTransactor, type RequestClaim } from '../../../platform/idempotency/index.js';
import { READ_COMMITTED } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import { hmacScheme } from '../providers/hmac-scheme.js';
import { webhookProvider } from '../providers/provider-registry.js';
import { FREELY_TYPED, type HmacScheme, type ProviderName } from '../providers/webhook-provider.js';
import type { ChangeSourceDto, CreateSourceDto, RotateSecretDto, SourceDto } from './source.dto.js';
import { SourceDirectory } from './source-directory.js';
import { secretPlace } from './source-secret.js';
import { type SourceRow, SourcesRepository } from './sources.repository.js';
import type { Origin } from './webhook-source.entity.js';

const DEFAULT_TOLERANCE_SECONDS = 300;
/** Gorgias sends at most a few per ticket; more is a loop or an attack. */
const GORGIAS_RATE_LIMIT_PER_MINUTE = 30;
const DEFAULT_OVERLAP_SECONDS = 24 * 3600;

/** 409: a source of this name exists. */
class SourceExistsError extends ConflictError {
  override readonly code = 'WEBHOOK_SOURCE_EXISTS';
}

/** Where webhooks may come in, and with which secrets. Every change is audited and known everywhere within a second. */
@Injectable()
export class SourcesService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly repository: SourcesRepository,
    private readonly directory: SourceDirectory,
    private readonly secretBox: SecretBox,
    private readonly transactor: IdempotentTransactor,
    private readonly audit: AuditLog,
  ) {}

  async list(): Promise<SourceDto[]> {
    return (await this.repository.findAll()).map((source) => this.present(source));
  }

  /** @throws NotFoundError */
  async get(name: string, tx?: EntityManager): Promise<SourceDto> {
    const source = await this.repository.find(name, tx);
    if (!source) throw notFound(name);
    return this.present(source);
  }

  /** @throws SourceExistsError (409), ValidationError (400) naming a bad secret, address or scheme */
  async create(
    input: CreateSourceDto,
    context: RequestContext,
    { origin = 'api', claim }: { origin?: Origin; claim?: RequestClaim | undefined } = {},
  ): Promise<SourceDto> {
    const { name, provider, secret, ...settings } = input;
    webhookProvider(provider).checkSecret(secret);
    const scheme = checkSettings(provider, settings);
    return this.known(claim, async (tx) => {
      const inserted = await this.repository.insert(tx, {
        name,
        provider,
        toleranceSeconds: settings.toleranceSeconds ?? DEFAULT_TOLERANCE_SECONDS,
        allowedIps: settings.allowedIps ?? [],
        rateLimitPerMinute:
          settings.rateLimitPerMinute ?? (provider === 'gorgias' ? GORGIAS_RATE_LIMIT_PER_MINUTE : null),
        processing: settings.processing ?? 'async',
        ordering: settings.ordering ?? 'none',
        maxRetries: settings.maxRetries ?? null,
        bodyLimitBytes: settings.bodyLimitBytes ?? null,
        scheme: provider === 'hmac' ? (scheme ?? hmacScheme({})) : null,
        typeHeader: settings.typeHeader ?? null,
        typePath: settings.typePath ?? null,
        origin,
      });
      if (!inserted) throw new SourceExistsError(`There is a source named "${name}" already.`);
      await this.addSecret(tx, name, secret, origin);
      await this.record(tx, 'webhook_source.created', name, context, { provider, ...settings });
      return this.get(name, tx);
    });
  }

  /** @throws NotFoundError, ValidationError */
  change(name: string, changes: ChangeSourceDto, context: RequestContext, claim?: RequestClaim): Promise<SourceDto> {
    return this.known(claim, async (tx) => {
      const source = await this.repository.lock(tx, name);
      if (!source) throw notFound(name);
      const { scheme: _, ...columns } = changes;
      const scheme = checkSettings(source.provider, changes);
      await this.repository.update(tx, name, { ...columns, ...(scheme && { scheme }) });
      await this.record(tx, 'webhook_source.changed', name, context, { ...changes });
      return this.get(name, tx);
    });
  }

  /** Removes a source and its secrets; its events stay. @throws NotFoundError */
  remove(name: string, context: RequestContext, claim?: RequestClaim): Promise<void> {
    return this.known(claim, async (tx) => {
      if (!(await this.repository.lock(tx, name))) throw notFound(name);
      await this.repository.remove(tx, name);
      await this.record(tx, 'webhook_source.deleted', name, context, {});
    });
  }

  /** Adds a secret; the ones before are accepted until the overlap ends. @throws NotFoundError, ValidationError */
  rotate(name: string, input: RotateSecretDto, context: RequestContext, claim?: RequestClaim): Promise<SourceDto> {
    const overlapSeconds = input.overlapSeconds ?? DEFAULT_OVERLAP_SECONDS;
    return this.known(claim, async (tx) => {
      const source = await this.repository.lock(tx, name);
      if (!source) throw notFound(name);
      webhookProvider(source.provider).checkSecret(input.secret);
      const id = await this.addSecret(tx, name, input.secret, 'api');
      await this.repository.expireSecretsBut(tx, name, id, overlapSeconds);
      await this.repository.update(tx, name, {});
      await this.record(tx, 'webhook_source.rotated', name, context, { newId: id, overlapSeconds });
      return this.get(name, tx);
    });
  }

  /**
   * Makes sure the source accepts the secret its environment variable holds. A new value replaces the variable's old
   * one at once and leaves secrets given through the API alone; one that was rotated out does not come back.
   *
   * What cannot be read is neither: nobody knows whether it is the same, so it stays as it is and the variable's secret is
   * added beside it, also one that expired in its favour.
   *
   * @returns what was found
   * @throws NotFoundError, ValidationError
   */
  async adopt(
    name: string,
    secret: string,
    context: RequestContext,
  ): Promise<'known' | 'expired' | 'replaced' | 'unreadable'> {
    // Also when nothing changes, the directory is read anew: another replica may have made the source since.
    return this.known(undefined, async (tx) => {
      const source = await this.repository.lock(tx, name);
      if (!source) throw notFound(name);
      const earlier = (await this.repository.environmentSecrets(tx, name)).map(({ id, sealed, expired }) => ({
        value: this.secretBox.tryOpen(sealed, secretPlace(id)),
        isActive: expired !== true,
        id,
      }));
      const same = earlier.filter(({ value }) => value === secret);
      if (same.some(({ isActive }) => isActive)) return 'known';
      const isUnreadable = earlier.some(({ value, isActive }) => value === undefined && isActive);
      if (same.length > 0 && !isUnreadable) return 'expired';
      webhookProvider(source.provider).checkSecret(secret);
      const id = await this.addSecret(tx, name, secret, 'environment');
      const readable = earlier.filter(({ value }) => value !== undefined).map((each) => each.id);
      await this.repository.expireSecrets(tx, readable);
      await this.record(tx, 'webhook_source.rotated', name, context, { newId: id, overlapSeconds: 0 });
      return isUnreadable ? 'unreadable' : 'replaced';
    });
  }

  /** Changes something, and knows it here at once. READ COMMITTED: what is there is locked, and a name is unique. */
  private async known<T>(claim: RequestClaim | undefined, change: (tx: EntityManager) => Promise<T>): Promise<T> {
    const result = await this.transactor.run(claim, change, READ_COMMITTED);
    await this.directory.refresh();
    return result;
  }

  private async addSecret(tx: EntityManager, source: string, secret: string, origin: Origin): Promise<string> {
    const id = newId();
    await this.repository.insertSecret(tx, {
      id,
      source,
      origin,
      sealed: this.secretBox.seal(secret, secretPlace(id)),
    });
    return id;
  }

  private async record(
    tx: EntityManager,
    action: string,
    name: string,
    context: RequestContext,
    details: Record<string, unknown>,
  ): Promise<void> {
    await this.audit.record(tx, [{ ...context, action, subject: `webhook-source:${name}`, details }]);
  }

  private present({ secrets, ...source }: SourceRow): SourceDto {
    const base = this.config.PUBLIC_URL ?? `http://${this.config.HOST}:${this.config.PORT}`;
    return {
      ...source,
      url: `${base.replace(/\/$/, '')}/webhooks/${source.name}`,
      secrets: secrets.map(({ id, origin, createdAt, expiresAt }) => ({ id, origin, createdAt, expiresAt })),
    };
  }
}

/** @returns the complete scheme when one was given */
function checkSettings(provider: ProviderName, settings: ChangeSourceDto): HmacScheme | undefined {
  try {
    AddressList.parse(settings.allowedIps ?? []);
  } catch (error) {
    throw ValidationError.of([{ path: 'allowedIps', message: (error as Error).message }]);
  }
  checkTypePlace(provider, settings);
  if (settings.scheme === undefined) return undefined;
  if (provider !== 'hmac') {
    throw ValidationError.of([{ path: 'scheme', message: `only hmac sources have one; this is a ${provider} source` }]);
  }
  return hmacScheme(settings.scheme);
}

function checkTypePlace(provider: ProviderName, settings: ChangeSourceDto): void {
  if (FREELY_TYPED.includes(provider)) return;
  const path = (['typeHeader', 'typePath'] as const).find((field) => (settings[field] ?? null) !== null);
  if (path === undefined) return;
  const message =
    provider === 'hmac' ? `an hmac source has scheme.${path}` : `${provider} always names the type in the same place`;
  throw ValidationError.of([{ path, message: `only ${FREELY_TYPED.join(' and ')} sources have one; ${message}` }]);
}

function notFound(name: string): NotFoundError {
  return new NotFoundError(`There is no webhook source named "${name.slice(0, 64)}".`);
}

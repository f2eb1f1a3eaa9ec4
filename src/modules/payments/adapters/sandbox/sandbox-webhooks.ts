import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CONFIG, type Config } from '../../../../config/index.js';
import { HttpClient } from '../../../../platform/http-client/index.js';
import { Every } from '../../../../platform/schedule/index.js';
import { EnvironmentSources, webhookProvider } from '../../../webhooks/index.js';
import { SandboxAddress } from './sandbox-address.js';
import { SandboxDisputes } from './sandbox-disputes.js';
import { SandboxEvent } from './sandbox-event.entity.js';
import { sandboxWebhookSecret } from './sandbox-keys.js';
import { SandboxService } from './sandbox.service.js';

const POLL_MS = 250;

/** Most of the time nothing is, and a look costs one small query. Indexes: the `…_due_at_idx` and `sandbox_events_send_at_idx`. */
const IS_DUE = `
  SELECT
    EXISTS (SELECT 1 FROM sandbox_charges WHERE due_at <= clock_timestamp())
    OR EXISTS (SELECT 1 FROM sandbox_refunds WHERE due_at <= clock_timestamp()) AS changes,
    EXISTS (SELECT 1 FROM sandbox_disputes WHERE due_at <= clock_timestamp()) AS disputes,
    EXISTS (SELECT 1 FROM sandbox_events WHERE send_at <= clock_timestamp()) AS events`;

/** Taken for five seconds at a time: who takes it and dies leaves it to the next. */
const TAKE_DUE = `
  UPDATE sandbox_events
  SET send_at = clock_timestamp() + interval '5 seconds'
  WHERE id IN (
    SELECT id FROM sandbox_events
    WHERE send_at <= clock_timestamp()
    ORDER BY send_at
    LIMIT 20
    FOR UPDATE SKIP LOCKED
  )
  RETURNING id, type, data`;

type Event = Pick<SandboxEvent, 'id' | 'type' | 'data'>;

/** Sends the sandbox's events to `/webhooks/sandbox`, signed, until they are taken in. */
@Injectable()
export class SandboxWebhooks {
  private readonly logger = new Logger(SandboxWebhooks.name);
  private readonly secret: string;
  /** Once there is a source that knows the secret: with the first event, so that nobody has one who pays no sandbox. */
  private provided: Promise<void> | undefined;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly dataSource: DataSource,
    private readonly http: HttpClient,
    private readonly address: SandboxAddress,
    private readonly sandbox: SandboxService,
    private readonly disputes: SandboxDisputes,
    private readonly sources: EnvironmentSources,
  ) {
    this.secret = sandboxWebhookSecret(config.encryptionKey);
  }

  @Every(POLL_MS, { name: 'events of the sandbox', role: 'background' })
  async sendDue(): Promise<void> {
    if (this.address.own === undefined) return;
    const [due] = await this.dataSource.query<{ changes: boolean; disputes: boolean; events: boolean }[]>(IS_DUE);
    if (due?.changes) await this.sandbox.changeDue();
    if (due?.disputes) await this.disputes.changeDue();
    if (!due?.changes && !due?.disputes && !due?.events) return;
    const [events] = await this.dataSource.query<[Event[], number]>(TAKE_DUE);
    for (const event of events) await this.send(event);
  }

  /** Sends one event now, whenever it is due, and returns when it was taken in. */
  async sendNow(id: string): Promise<void> {
    const event = await this.dataSource.manager.findOneBy(SandboxEvent, { id });
    if (event !== null) await this.send(event);
  }

  private async send({ id, type, data }: Event): Promise<void> {
    const timestamp = Math.floor(Date.now() / 1000);
    const body = Buffer.from(JSON.stringify({ type, timestamp: new Date(timestamp * 1000).toISOString(), data }));
    const outgoing = { body, eventId: `evt_${id.replaceAll('-', '')}`, eventType: type, timestamp };
    try {
      await (this.provided ??= this.sources.provide('sandbox', 'standard', this.secret));
      const { status } = await this.http.request({
        purpose: 'sandbox',
        method: 'POST',
        url: `${this.address.own}/webhooks/sandbox`,
        headers: { 'content-type': 'application/json', ...webhookProvider('standard').sign(outgoing, this.secret) },
        body,
        timeoutMs: 5000,
        maxResponseBytes: 64 * 1024,
        target: 'any',
      });
      if (status < 300) await this.dataSource.manager.delete(SandboxEvent, { id });
      else this.logger.warn({ msg: 'An event of the sandbox was refused', type, status });
    } catch (error) {
      this.provided = undefined;
      this.logger.warn({ msg: 'An event of the sandbox could not be sent', type, err: error });
    }
  }
}

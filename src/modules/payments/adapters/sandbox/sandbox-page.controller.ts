import { Controller, Get, Header, Param, Post, Redirect } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../../../../platform/auth/index.js';
import { PUBLIC_READ } from '../../../../platform/http/index.js';
import { SandboxService } from './sandbox.service.js';
import { SandboxDisputes } from './sandbox-disputes.js';
import type { ChargeObject, DisputeObject } from './sandbox-objects.js';

/** What a customer sees at a provider, and who works there: buttons. Whoever has the link may press them, and no money moves. */
@ApiExcludeController()
@Public()
@Controller('sandbox/pay')
export class SandboxPageController {
  constructor(
    private readonly sandbox: SandboxService,
    private readonly disputes: SandboxDisputes,
  ) {}

  @Get(':id')
  @RouteConfig(PUBLIC_READ)
  @Header('content-type', 'text/html; charset=utf-8')
  async show(@Param('id') id: string): Promise<string> {
    const [dispute] = await this.disputes.of(id);
    return page(await this.sandbox.find(id), dispute);
  }

  @Post(':id')
  @Redirect(undefined, 303)
  async pay(@Param('id') id: string): Promise<{ url: string }> {
    const { object } = await this.sandbox.pay(id);
    return { url: object.id };
  }

  /** As in a provider's dashboard: Holdfast is told by the event only. */
  @Post(':id/refund')
  @Redirect(undefined, 303)
  async refund(@Param('id') id: string): Promise<{ url: string }> {
    await this.sandbox.refundUnasked(id);
    return { url: `../${id}` };
  }

  @Post(':id/win')
  @Redirect(undefined, 303)
  async win(@Param('id') id: string): Promise<{ url: string }> {
    await this.disputes.decide(id, 'won');
    return { url: `../${id}` };
  }

  @Post(':id/lose')
  @Redirect(undefined, 303)
  async lose(@Param('id') id: string): Promise<{ url: string }> {
    await this.disputes.decide(id, 'lost');
    return { url: `../${id}` };
  }
}

/** Everything in it is ours: an id, an amount, a currency, a status. */
function page({ id, amount, currency, status }: ChargeObject, dispute: DisputeObject | undefined): string {
  const about = dispute === undefined ? '' : `<p>Dispute ${dispute.id}: ${dispute.status}</p>`;
  return `<!doctype html><meta charset="utf-8"><title>Sandbox</title><h1>Sandbox payment</h1>
<p>${id}: ${amount} ${currency} (minor units), ${status}</p>${about}${buttons(id, status, dispute)}`;
}

function buttons(id: string, status: string, dispute: DisputeObject | undefined): string {
  if (status === 'requires_action') return '<form method="post"><button>Pay</button></form>';
  if (status !== 'succeeded') return '';
  const button = (action: string, label: string) =>
    `<form method="post" action="${id}/${action}"><button>${label}</button></form>`;
  if (dispute === undefined) return button('refund', 'Refund, as in the dashboard');
  return dispute.status === 'needs_response'
    ? button('win', 'Win the dispute') + button('lose', 'Lose the dispute')
    : '';
}

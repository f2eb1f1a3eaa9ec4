import { Controller, Get, Header, Param, Post, Redirect } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../../../../platform/auth/index.js';
import { PUBLIC_READ } from '../../../../platform/http/index.js';
import { SandboxService } from './sandbox.service.js';
import type { ChargeObject } from './sandbox-objects.js';

/** What a customer sees at a provider: one button. Whoever has the link may press it, and no money moves. */
@ApiExcludeController()
@Public()
@Controller('sandbox/pay')
export class SandboxPageController {
  constructor(private readonly sandbox: SandboxService) {}

  @Get(':id')
  @RouteConfig(PUBLIC_READ)
  @Header('content-type', 'text/html; charset=utf-8')
  async show(@Param('id') id: string): Promise<string> {
    return page(await this.sandbox.find(id));
  }

  @Post(':id')
  @Redirect(undefined, 303)
  async pay(@Param('id') id: string): Promise<{ url: string }> {
    const { object } = await this.sandbox.pay(id);
    return { url: object.id };
  }
}

/** Everything in it is ours: an id, an amount, a currency, a status. */
function page({ id, amount, currency, status }: ChargeObject): string {
  const button = status === 'requires_action' ? '<form method="post"><button>Pay</button></form>' : '';
  return `<!doctype html><meta charset="utf-8"><title>Sandbox</title><h1>Sandbox payment</h1>
<p>${id}: ${amount} ${currency} (minor units), ${status}</p>${button}`;
}

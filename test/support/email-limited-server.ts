import { Controller, Get, HttpCode, Module, Param, Post } from '@nestjs/common';
import type * as Configuration from '../../src/config/index.js';
import type * as Addresses from '../../src/kernel/email-address.js';
import type * as Limits from '../../src/modules/email-limits/index.js';
import type * as Auth from '../../src/platform/auth/index.js';
import type * as Transactions from '../../src/platform/transaction/index.js';
import type * as Run from '../../src/run.js';

/** The built server with routes that are limited by address and do nothing else, to be run as `startServer({ entry })`. */
const dist = (path: string) => import(new URL(`../../dist/src/${path}`, import.meta.url).href) as Promise<unknown>;
const { emailAddress } = (await dist('kernel/email-address.js')) as typeof Addresses;
const { EmailLimiter, EmailLimitsModule } = (await dist('modules/email-limits/index.js')) as typeof Limits;
const { Public } = (await dist('platform/auth/index.js')) as typeof Auth;
const { Transactor } = (await dist('platform/transaction/index.js')) as typeof Transactions;
const { loadConfig } = (await dist('config/index.js')) as typeof Configuration;
const { run } = (await dist('run.js')) as typeof Run;

@Public()
@Controller('test')
class LimitedRoutes {
  constructor(
    private readonly transactor: Transactions.Transactor,
    private readonly limiter: Limits.EmailLimiter,
  ) {}

  @Post('mail/:kind/:email')
  @HttpCode(202)
  async mail(@Param('kind') kind: Limits.EmailLimitKind, @Param('email') text: string): Promise<void> {
    const email = emailAddress(text);
    if (email === undefined) throw new TypeError('A test asks for mail to no address');
    await this.transactor.run((tx) => this.limiter.take(tx, kind, email));
  }

  @Get('broken/:email')
  broken(): void {
    throw new Error('broken as asked');
  }
}

// The built classes are not those the types above come from, so Nest is told by hand what to hand in.
Reflect.defineMetadata('design:paramtypes', [Transactor, EmailLimiter], LimitedRoutes);

@Module({ imports: [EmailLimitsModule], controllers: [LimitedRoutes] })
class LimitedRoutesModule {}

await run(() => loadConfig(process.env), [LimitedRoutesModule]);

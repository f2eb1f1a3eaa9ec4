import { Controller, Get, HttpCode, Module, Param, Post } from '@nestjs/common';
import { loadConfig } from '../../src/config/index.js';
import { emailAddress } from '../../src/kernel/email-address.js';
import { EmailLimiter, type EmailLimitKind, EmailLimitsModule } from '../../src/modules/email-limits/index.js';
import { Public } from '../../src/platform/auth/index.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { run } from '../../src/run.js';

/** The built server with routes that are limited by address and do nothing else, to be run as `startServer({ entry })`. */
@Public()
@Controller('test')
class LimitedRoutes {
  constructor(
    private readonly transactor: Transactor,
    private readonly limiter: EmailLimiter,
  ) {}

  @Post('mail/:kind/:email')
  @HttpCode(202)
  async mail(@Param('kind') kind: EmailLimitKind, @Param('email') text: string): Promise<void> {
    const email = emailAddress(text);
    if (email === undefined) throw new TypeError('A test asks for mail to no address');
    await this.transactor.run((tx) => this.limiter.take(tx, kind, email));
  }

  @Get('broken/:email')
  broken(): void {
    throw new Error('broken as asked');
  }
}

@Module({ imports: [EmailLimitsModule], controllers: [LimitedRoutes] })
class LimitedRoutesModule {}

await run(() => loadConfig(process.env), [LimitedRoutesModule]);

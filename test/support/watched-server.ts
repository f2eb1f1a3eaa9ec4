import { Controller, Get, Module } from '@nestjs/common';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { loadConfig } from '../../src/config/index.js';
import { Public } from '../../src/platform/auth/index.js';
import { run } from '../../src/run.js';

/** The built server, which also tells how long its event loop stood still; to be run as `startServer({ entry })`. */
const delays = monitorEventLoopDelay({ resolution: 1 });
delays.enable();
let used = process.cpuUsage();

@Controller('test')
@Public()
class WaitRoutes {
  /**
   * Milliseconds; the worst since it was asked last. A machine that is busy with other things makes any loop stand still:
   * what was longer than the processor's time that this process took in all was not its own doing.
   */
  @Get('longest-wait')
  longestWait(): { ms: number } {
    const { user, system } = process.cpuUsage(used);
    const ms = Math.min(delays.max / 1e6, (user + system) / 1e3);
    delays.reset();
    used = process.cpuUsage();
    return { ms };
  }
}

@Module({ controllers: [WaitRoutes] })
class WaitModule {}

await run(() => loadConfig(process.env), [WaitModule]);

import { Global, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { ScheduleModule as NestScheduleModule } from '@nestjs/schedule';
import { RepeatingTasks } from './repeating-tasks.js';

/** Finds `@Every` on all providers. Global, because Nest ends global modules last: others may cut short what is awaited here. */
@Global()
@Module({
  imports: [NestScheduleModule.forRoot(), DiscoveryModule],
  providers: [RepeatingTasks],
  exports: [RepeatingTasks],
})
export class ScheduleModule implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly tasks: RepeatingTasks,
  ) {}

  onApplicationBootstrap(): void {
    // A provider may stand under several tokens.
    const owners = new Set<unknown>(this.discovery.getProviders().map(({ instance }): unknown => instance));
    for (const owner of owners) if (typeof owner === 'object' && owner !== null) this.tasks.begin(owner);
  }
}

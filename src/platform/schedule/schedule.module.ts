import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ScheduleModule as NestScheduleModule } from '@nestjs/schedule';
import { RepeatingTasks } from './repeating-tasks.js';

@Global()
@Module({})
export class ScheduleModule {
  static forRoot(): DynamicModule {
    return {
      module: ScheduleModule,
      imports: [NestScheduleModule.forRoot()],
      providers: [RepeatingTasks],
      exports: [RepeatingTasks],
    };
  }
}

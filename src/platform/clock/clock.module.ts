import { Module } from '@nestjs/common';
import { DatabaseClock } from './database-clock.js';

@Module({ providers: [DatabaseClock], exports: [DatabaseClock] })
export class ClockModule {}

import { Module } from '@nestjs/common';
import { RecordPaymentHandler } from './record-payment.handler.js';

/** Handlers are found by their decorator; being a provider of a loaded module is all they need. */
@Module({ providers: [RecordPaymentHandler] })
export class ExampleModule {}

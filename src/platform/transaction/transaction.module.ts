import { Global, Module } from '@nestjs/common';
import { Transactor } from './transactor.js';

@Global()
@Module({ providers: [Transactor], exports: [Transactor] })
export class TransactionModule {}

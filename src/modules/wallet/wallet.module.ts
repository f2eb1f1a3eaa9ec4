import { Module } from '@nestjs/common';
import { LedgerModule } from '../ledger/index.js';
import { AccountsController } from './accounts.controller.js';
import { AccountsService } from './accounts.service.js';
import { AccountsModule } from '../accounts/index.js';
import { FreezingController } from './freezing.controller.js';
import { FreezingService } from './freezing.service.js';
import { HoldsController } from './holds.controller.js';
import { HoldsService } from './holds.service.js';
import { LedgerController } from './ledger.controller.js';
import { Postings } from './postings.js';
import { TransactionsController } from './transactions.controller.js';
import { TransactionsService } from './transactions.service.js';
import { TransfersController } from './transfers.controller.js';
import { TransfersService } from './transfers.service.js';

/** The ledger over HTTP: users' accounts, and who may do what with them. */
@Module({
  imports: [LedgerModule, AccountsModule],
  controllers: [
    AccountsController,
    TransactionsController,
    TransfersController,
    HoldsController,
    FreezingController,
    LedgerController,
  ],
  providers: [AccountsService, TransactionsService, TransfersService, HoldsService, FreezingService, Postings],
})
export class WalletModule {}

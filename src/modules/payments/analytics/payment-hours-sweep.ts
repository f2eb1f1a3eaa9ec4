import { Injectable } from '@nestjs/common';
import { Every } from '../../../platform/schedule/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { PaymentFiguresRepository } from './payment-figures.repository.js';

const EVERY_MS = 60_000;
/** Hours a transaction: a day of millions of payments takes longer than a statement may. */
const BATCH = 1;

/** Keeps the figures of hours that are over, so that reading them costs no look at payments; at first those of all the past. */
@Injectable()
export class PaymentHoursSweep {
  constructor(
    private readonly transactor: Transactor,
    private readonly figures: PaymentFiguresRepository,
  ) {}

  /** @returns how many hours it has kept */
  @Every(EVERY_MS, { name: 'figures of payments', role: 'background', batch: BATCH })
  keep(limit: number): Promise<number> {
    return this.transactor.run((tx) => this.figures.keep(tx, limit), READ_COMMITTED);
  }
}

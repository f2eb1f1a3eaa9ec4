import { Injectable } from '@nestjs/common';
import { NotFoundError } from '../../kernel/app-error.js';
import { Money } from '../../kernel/money.js';
import { endUserOf, ownerOf, type Principal } from '../../platform/auth/index.js';
import { isHoldId, Ledger, systemAccount, userAccount } from '../ledger/index.js';
import { holdView } from './answers/hold-view.js';
import type { Caller } from './caller.js';
import type { CaptureHoldDto, HoldDto, NewHoldDto } from './dto/hold.dto.js';
import { Postings } from './postings.js';

/** Money set aside. An end user resolves only holds they placed themselves: one of a service secures its claim. */
@Injectable()
export class HoldsService {
  constructor(
    private readonly postings: Postings,
    private readonly ledger: Ledger,
  ) {}

  /** @throws ValidationError when a service does not say whose money */
  async place(hold: NewHoldDto, caller: Caller): Promise<HoldDto> {
    const { userId, amount, currency, toUserId, expiresInSeconds, description } = hold;
    const credit = toUserId === undefined ? systemAccount('external', currency) : userAccount(toUserId, currency);
    const account = userAccount(ownerOf(caller.principal, userId), currency);
    return this.postings.hold(
      { type: 'hold', account, credit, amount: Money.of(amount, currency), expiresInSeconds, description },
      caller,
      holdView,
    );
  }

  /** @throws NotFoundError for text that is no id */
  async capture(holdId: string, { amount }: CaptureHoldDto, caller: Caller): Promise<HoldDto> {
    if (!isHoldId(holdId)) throw unknownHold();
    const captured = amount === undefined ? undefined : BigInt(amount);
    return this.postings.hold({ type: 'capture', holdId, amount: captured }, caller, holdView);
  }

  /** @throws NotFoundError for text that is no id */
  async void(holdId: string, caller: Caller): Promise<HoldDto> {
    if (!isHoldId(holdId)) throw unknownHold();
    return this.postings.hold({ type: 'void', holdId }, caller, holdView);
  }

  /** @throws NotFoundError, also for another user's */
  async find(holdId: string, principal: Principal): Promise<HoldDto> {
    const hold = isHoldId(holdId) ? await this.ledger.hold(holdId) : undefined;
    const user = endUserOf(principal);
    if (!hold || (user !== undefined && hold.account.owner !== user)) throw unknownHold();
    return holdView(hold);
  }
}

function unknownHold(): NotFoundError {
  return new NotFoundError('There is no hold with this id.');
}

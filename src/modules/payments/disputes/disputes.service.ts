import { Injectable } from '@nestjs/common';
import { decodeCursor, pageOf } from '../../../kernel/cursor.js';
import { isUuid } from '../../../kernel/ids.js';
import { endUserOf, type Principal } from '../../../platform/auth/index.js';
import { DisputesRepository } from './disputes.repository.js';
import type { DisputeDetailDto } from './dispute-detail.dto.js';
import type { DisputePageDto, DisputeQueryDto } from './dispute.dto.js';
import { unknownDispute } from '../payment.errors.js';
import { PaymentReader, requireOwner } from '../payment-reader.js';
import { disputeView, movementView } from '../payment-view.js';

/** Disputes as they are shown, to those who may see them. */
@Injectable()
export class DisputesService {
  constructor(
    private readonly disputes: DisputesRepository,
    private readonly reader: PaymentReader,
  ) {}

  /** @throws NotFoundError when an end user names another user */
  async list({ limit, cursor, ...filter }: DisputeQueryDto, principal: Principal): Promise<DisputePageDto> {
    const before = cursor === undefined ? undefined : decodeCursor(cursor, { id: 'uuid' }).id;
    const user = endUserOf(principal);
    if (user !== undefined) requireOwner(principal, filter.userId ?? user);
    const whose = user === undefined ? filter : { ...filter, userId: user };
    const rows = await this.disputes.list(whose, before, limit + 1);
    return pageOf(rows, limit, ({ id }) => ({ id }), disputeView);
  }

  /** @throws NotFoundError, also for another user's */
  async find(id: string, principal: Principal): Promise<DisputeDetailDto> {
    const dispute = isUuid(id) ? await this.disputes.find(id) : null;
    const user = endUserOf(principal);
    if (dispute === null || (user !== undefined && dispute.userId !== user)) throw unknownDispute();
    const [payment, movements] = await Promise.all([
      this.reader.viewOf(dispute.payment),
      this.disputes.movementsOf([dispute.id]),
    ]);
    return { ...disputeView(dispute), payment, movements: movements.map(movementView) };
  }
}

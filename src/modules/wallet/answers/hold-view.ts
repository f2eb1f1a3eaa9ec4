import type { Hold } from '../../ledger/index.js';
import type { HoldDto } from '../dto/hold.dto.js';
import { jsonTime } from './json-time.js';

export function holdView(hold: Hold): HoldDto {
  return {
    id: hold.id,
    userId: hold.account.owner,
    toUserId: hold.credit.kind === 'user' ? hold.credit.owner : null,
    amount: Number(hold.amount.minor),
    captured: hold.captured === null ? null : Number(hold.captured.minor),
    currency: hold.amount.currency,
    status: hold.status,
    expiresAt: jsonTime(hold.expiresAt),
    transactionId: hold.transferId,
    description: hold.description,
    createdAt: jsonTime(hold.createdAt),
  };
}

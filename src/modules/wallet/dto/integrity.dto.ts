import { ApiProperty } from '@nestjs/swagger';
import { TIME } from './schemas.js';

/** A rule that something in the ledger breaks. */
export class ViolationDto {
  /** The rule. */
  @ApiProperty({ example: 'balances sum to zero' })
  invariant: string;

  /** How it is broken. */
  message: string;

  /** Ids of the accounts concerned. */
  @ApiProperty({ type: [String] })
  accounts: readonly string[];

  /** Ids of the transactions concerned. */
  @ApiProperty({ type: [String] })
  transfers: readonly string[];
}

export class IntegrityDto {
  /** Whether every rule holds for every account, transaction and hold. */
  ok: boolean;

  /** By the database's clock. */
  @ApiProperty(TIME)
  checkedAt: Date;

  /** How many were looked at. */
  accounts: number;

  entries: number;

  /** Minor units by currency, over all accounts: zero, as no money is made or lost. All digits, however many. */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' }, example: { USD: 0 } })
  sumByCurrency: Readonly<Record<string, bigint>>;

  /** Up to 100 for each rule. */
  @ApiProperty({ type: [ViolationDto] })
  violations: readonly ViolationDto[];
}

import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import type { EmailAddress } from '../../../kernel/email-address.js';
import { IsEmailAddress, PageQueryDto } from '../../../platform/http/index.js';
import { ROLES, type Role } from './role.js';
import { type Subscription, SUBSCRIPTIONS } from './subscription.js';

export class ListUsersQueryDto extends PageQueryDto {
  /** Only the one with this address. */
  @IsOptional()
  @IsEmailAddress()
  email?: EmailAddress;
}

export class SetSubscriptionDto {
  @ApiProperty({ enum: SUBSCRIPTIONS, example: 'pro' })
  @IsIn(SUBSCRIPTIONS)
  tier: Subscription;
}

export class SetRoleDto {
  @ApiProperty({ enum: ROLES, example: 'operator' })
  @IsIn(ROLES)
  role: Role;
}

export class UserDto {
  /** UUID: the `userId` of wallets, payments and forms. */
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ type: String, format: 'email' })
  email: string;

  @ApiProperty({ enum: ROLES })
  role: Role;

  @ApiProperty({ enum: SUBSCRIPTIONS })
  subscription: Subscription;

  emailVerifiedAt: Date;

  createdAt: Date;
}

export class UserPageDto {
  data: UserDto[];

  /** Send it as `cursor` for the next page; null on the last. */
  nextCursor: string | null;
}

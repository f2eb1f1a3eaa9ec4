import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import type { EmailAddress } from '../../../kernel/email-address.js';
import { PageQueryDto } from '../../../platform/http/index.js';
import { ROLES, type Role } from '../users/role.js';
import { type Subscription, SUBSCRIPTIONS } from '../users/subscription.js';
import { UserDto } from './auth.dto.js';
import { IsAddress } from './is-address.decorator.js';

export class ListUsersQueryDto extends PageQueryDto {
  /** Only the one with this address. */
  @ApiPropertyOptional({ type: String, format: 'email' })
  @IsOptional()
  @IsAddress()
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

export class UserPageDto {
  data: UserDto[];

  /** Send it as `cursor` for the next page; null on the last. */
  nextCursor: string | null;
}

import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength, MinLength } from 'class-validator';
import type { EmailAddress } from '../../../kernel/email-address.js';
import { IsPassword, MAX_LENGTH, MIN_LENGTH } from '../passwords/is-password.decorator.js';
import { ROLES, type Role } from '../users/role.js';
import { type Subscription, SUBSCRIPTIONS } from '../users/subscription.js';
import { IsAddress } from './is-address.decorator.js';

const PASSWORD = {
  minLength: MIN_LENGTH,
  maxLength: MAX_LENGTH,
  format: 'password',
  example: 'correct horse battery',
} as const;
/** Ours have 47; nobody may make us look at more. */
const MAX_TOKEN = 100;

// Validators run from the bottom up and the first that fails is named, so each list ends with the plainest.
export class RegisterDto {
  @IsAddress()
  email: EmailAddress;

  /** 10 to 128 characters of any kind; the commonest are refused. */
  @ApiProperty(PASSWORD)
  @IsPassword()
  password: string;
}

export class LoginDto {
  @IsAddress()
  email: EmailAddress;

  @ApiProperty({ format: 'password', example: 'correct horse battery' })
  @MaxLength(4 * MAX_LENGTH)
  @MinLength(1)
  @IsString()
  password: string;
}

export class RefreshTokenDto {
  /** The one of the last login or refresh, `hfr_…`. */
  @ApiProperty({ example: 'hfr_…' })
  @MaxLength(MAX_TOKEN)
  @IsString()
  refreshToken: string;
}

export class EmailDto {
  @IsAddress()
  email: EmailAddress;
}

export class MailTokenDto {
  /** What stands after `#token=` in the mailed link, `hfm_…`. */
  @ApiProperty({ example: 'hfm_…' })
  @MaxLength(MAX_TOKEN)
  @IsString()
  token: string;
}

export class ResetPasswordDto extends MailTokenDto {
  /** 10 to 128 characters of any kind; the commonest are refused. */
  @ApiProperty(PASSWORD)
  @IsPassword()
  password: string;
}

export class AcceptedDto {
  /** The same for every address. */
  message: string;
}

export class SessionTokensDto {
  /** A JWT: `Authorization: Bearer <accessToken>`. */
  accessToken: string;

  /** For the next pair of tokens, once. Keep it secret: whoever has it is the user. */
  refreshToken: string;

  @ApiProperty({ enum: ['Bearer'] })
  tokenType: string;

  /** Seconds until the access token expires. */
  @ApiProperty({ type: 'integer', example: 900 })
  expiresIn: number;
}

export class EmailVerifiedDto {
  @ApiProperty({ enum: [true] })
  verified: boolean;
}

export class PasswordResetDto {
  /** Every session of the account has ended: log in with the new password. */
  @ApiProperty({ enum: [true] })
  reset: boolean;
}

export class UserDto {
  /** UUID: the `userId` of wallets, payments and forms. */
  id: string;

  @ApiProperty({ type: String, format: 'email' })
  email: string;

  @ApiProperty({ enum: ROLES })
  role: Role;

  @ApiProperty({ enum: SUBSCRIPTIONS })
  subscription: Subscription;

  /** null: nobody has proved yet that the address is theirs. */
  emailVerifiedAt: Date | null;

  createdAt: Date;
}

import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength, MinLength } from 'class-validator';
import type { EmailAddress } from '../../kernel/email-address.js';
import { IsEmailAddress } from '../../platform/http/index.js';
import { IsPassword, MAX_LENGTH } from './passwords/is-password.decorator.js';

const PASSWORD = { format: 'password', example: 'correct horse battery' } as const;
/** Ours have 47; nobody may make us look at more. */
const MAX_TOKEN = 100;

// Validators run from the bottom up and the first that fails is named, so each list ends with the plainest.
export class RegisterDto {
  @IsEmailAddress()
  email: EmailAddress;

  /** 10 to 128 characters of any kind; the commonest are refused. */
  @ApiProperty(PASSWORD)
  @IsPassword()
  password: string;
}

export class LoginDto {
  @IsEmailAddress()
  email: EmailAddress;

  @ApiProperty(PASSWORD)
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
  @IsEmailAddress()
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

  /** Others registered the same address with other passwords: none of them counts, and a mail to set one is on its way. */
  passwordNeeded: boolean;
}

export class PasswordResetDto {
  /** Every session of the account has ended: log in with the new password. */
  @ApiProperty({ enum: [true] })
  reset: boolean;
}

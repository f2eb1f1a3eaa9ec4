import { Body, Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  Authenticated,
  Context,
  CurrentPrincipal,
  ForbiddenError,
  type Principal,
  Public,
  type RequestContext,
} from '../../platform/auth/index.js';
import { Refuses } from '../../platform/http/index.js';
import { Throttle } from '../../platform/rate-limit/index.js';
import {
  AcceptedDto,
  EmailDto,
  EmailVerifiedDto,
  LoginDto,
  MailTokenDto,
  PasswordResetDto,
  RefreshTokenDto,
  RegisterDto,
  ResetPasswordDto,
  SessionTokensDto,
} from './auth.dto.js';
import { LoginService } from './login.service.js';
import { MailRequests } from './mails/mail-requests.js';
import { PasswordResetService } from './password-reset/password-reset.service.js';
import { RegistrationService } from './registration/registration.service.js';
import { SessionsService } from './sessions/sessions.service.js';
import { UserDto } from './users/users.dto.js';
import { UsersService } from './users/users.service.js';

const MAILED: AcceptedDto = Object.freeze({
  message: 'If something is to be done for this address, a mail with the next step is on its way.',
});

/** End users: from a registration to a session and out again. Whether an address has an account is never told. */
@ApiTags('Accounts')
@Controller('api/auth')
@Throttle({ perSecond: {}, perMinute: {}, perHour: {}, window: {}, mutations: {} })
export class AuthController {
  constructor(
    private readonly mailRequests: MailRequests,
    private readonly registration: RegistrationService,
    private readonly logins: LoginService,
    private readonly sessions: SessionsService,
    private readonly passwordReset: PasswordResetService,
    private readonly users: UsersService,
  ) {}

  @Post('register')
  @Public()
  @HttpCode(202)
  @ApiOperation({ summary: 'Register; a mail with a link to verify the address follows' })
  @ApiResponse({ status: 202, type: AcceptedDto, description: 'The same for an address that has an account' })
  async register(@Body() { email, password }: RegisterDto, @Context() context: RequestContext): Promise<AcceptedDto> {
    await this.mailRequests.register(email, password, context);
    return MAILED;
  }

  @Post('resend-verification')
  @Public()
  @HttpCode(202)
  @ApiOperation({ summary: 'Send the mail with the link to verify an address again' })
  @ApiResponse({ status: 202, type: AcceptedDto, description: 'The same for every address' })
  async resend(@Body() { email }: EmailDto, @Context() context: RequestContext): Promise<AcceptedDto> {
    await this.mailRequests.resendVerification(email, context);
    return MAILED;
  }

  @Post('verify-email')
  @Public()
  @HttpCode(200)
  @ApiOperation({ summary: 'Verify an address with the token from the mail, once' })
  @ApiResponse({ status: 200, type: EmailVerifiedDto })
  @Refuses(400, 'TOKEN_INVALID', 'unknown, used or expired')
  async verify(@Body() { token }: MailTokenDto, @Context() context: RequestContext): Promise<EmailVerifiedDto> {
    return { verified: true, ...(await this.registration.verify(token, context)) };
  }

  @Post('login')
  @Public()
  @HttpCode(200)
  @ApiOperation({ summary: 'Log in; 5 failed attempts in 15 minutes per IP address and per account' })
  @ApiResponse({ status: 200, type: SessionTokensDto })
  @Refuses(401, 'UNAUTHENTICATED', 'the same whatever is wrong')
  login(
    @Body() { email, password }: LoginDto,
    @Context() context: RequestContext,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SessionTokensDto> {
    return this.logins.login({ email, password }, context, reply);
  }

  @Post('refresh')
  @Public()
  @HttpCode(200)
  @ApiOperation({ summary: 'The next pair of tokens; a refresh token used twice ends its session' })
  @ApiResponse({ status: 200, type: SessionTokensDto })
  @Refuses(401, 'UNAUTHENTICATED')
  refresh(@Body() { refreshToken }: RefreshTokenDto, @Context() context: RequestContext): Promise<SessionTokensDto> {
    return this.sessions.refresh(refreshToken, context);
  }

  @Post('logout')
  @Public()
  @HttpCode(204)
  @ApiOperation({ summary: 'End the session of a refresh token' })
  @ApiResponse({ status: 204, description: 'There is no such session, now or before' })
  async logout(@Body() { refreshToken }: RefreshTokenDto, @Context() context: RequestContext): Promise<void> {
    await this.sessions.close(refreshToken, context);
  }

  @Post('forgot')
  @Public()
  @HttpCode(202)
  @ApiOperation({ summary: 'Send a mail with a link to set a new password' })
  @ApiResponse({ status: 202, type: AcceptedDto, description: 'The same for an address that has no account' })
  async forgot(@Body() { email }: EmailDto, @Context() context: RequestContext): Promise<AcceptedDto> {
    await this.mailRequests.forgotPassword(email, context);
    return MAILED;
  }

  @Post('reset')
  @Public()
  @HttpCode(200)
  @ApiOperation({ summary: 'Set a new password with the token from the mail, once; ends every session' })
  @ApiResponse({ status: 200, type: PasswordResetDto })
  @Refuses(400, 'TOKEN_INVALID', 'unknown, used or expired')
  async reset(
    @Body() { token, password }: ResetPasswordDto,
    @Context() context: RequestContext,
  ): Promise<PasswordResetDto> {
    await this.passwordReset.reset(token, password, context);
    return { reset: true };
  }

  @Get('me')
  @Authenticated()
  @ApiOperation({ summary: 'Who is logged in' })
  @ApiResponse({ status: 200, type: UserDto })
  @Refuses(403, 'FORBIDDEN', 'an API key is nobody in particular')
  @Refuses(404, 'NOT_FOUND', 'a token of another service, whose users are not kept here')
  me(@CurrentPrincipal() principal: Principal): Promise<UserDto> {
    if (principal.kind === 'api-key') throw new ForbiddenError('An API key is no user; send an access token.');
    return this.users.find(principal.id);
  }
}

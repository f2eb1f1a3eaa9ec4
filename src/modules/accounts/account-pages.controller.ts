import { Controller, Get, Header } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../../platform/auth/index.js';
import { PUBLIC_READ } from '../../platform/http/index.js';
import { ACCOUNT_PAGES_SCRIPT, RESET_PASSWORD_PAGE, VERIFY_EMAIL_PAGE } from './account-pages.js';

const HTML = 'text/html; charset=utf-8';

/**
 * Where mailed links lead unless `ACCOUNT_PAGES_URL` names the team's own pages. Opening one does nothing: mail scanners
 * open links too, and the token is for one use.
 */
@ApiExcludeController()
@Controller()
@Public()
export class AccountPagesController {
  @Get('verify-email')
  @RouteConfig(PUBLIC_READ)
  @Header('content-type', HTML)
  verifyEmail(): string {
    return VERIFY_EMAIL_PAGE;
  }

  @Get('reset-password')
  @RouteConfig(PUBLIC_READ)
  @Header('content-type', HTML)
  resetPassword(): string {
    return RESET_PASSWORD_PAGE;
  }

  @Get('account-pages.js')
  @RouteConfig(PUBLIC_READ)
  @Header('content-type', 'text/javascript; charset=utf-8')
  script(): string {
    return ACCOUNT_PAGES_SCRIPT;
  }
}

import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  Context,
  CurrentPrincipal,
  type Principal,
  type RequestContext,
  RequireScopes,
} from '../../platform/auth/index.js';
import { Refuses } from '../../platform/http/index.js';
import { Claim, Idempotent, type RequestClaim } from '../../platform/idempotency/index.js';
import { ChangeFormDto, FormDto, FormPageDto, FormQueryDto, NewFormDto } from './dto/form.dto.js';
import { FormsService } from './forms.service.js';

@ApiTags('Forms')
@Controller('api/forms')
export class FormsController {
  constructor(private readonly forms: FormsService) {}

  @Post()
  @RequireScopes('forms:write')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'A new form; how many a user may have goes by the subscription' })
  @Refuses(402, 'FORM_LIMIT_REACHED', 'the user has as many as the subscription allows')
  @Refuses(404, 'NOT_FOUND', 'not yours')
  create(
    @Body() input: NewFormDto,
    @CurrentPrincipal() principal: Principal,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<FormDto> {
    return this.forms.create(input, principal, context, claim);
  }

  @Get()
  @RequireScopes('forms:read')
  @ApiOperation({ summary: 'Forms, newest first' })
  @Refuses(404, 'NOT_FOUND', 'not yours')
  list(@Query() query: FormQueryDto, @CurrentPrincipal() principal: Principal): Promise<FormPageDto> {
    return this.forms.list(query, principal);
  }

  @Get(':id')
  @RequireScopes('forms:read')
  @ApiOperation({ summary: 'One form' })
  get(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<FormDto> {
    return this.forms.get(id, principal);
  }

  @Patch(':id')
  @RequireScopes('forms:write')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Change a form' })
  change(
    @Param('id') id: string,
    @Body() changes: ChangeFormDto,
    @CurrentPrincipal() principal: Principal,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<FormDto> {
    return this.forms.change(id, changes, principal, context, claim);
  }

  @Delete(':id')
  @HttpCode(204)
  @RequireScopes('forms:write')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Delete a form; it makes room for another' })
  remove(
    @Param('id') id: string,
    @CurrentPrincipal() principal: Principal,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<void> {
    return this.forms.remove(id, principal, context, claim);
  }
}

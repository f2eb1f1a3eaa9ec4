import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  Context,
  CurrentPrincipal,
  type Principal,
  type RequestContext,
  RequireScopes,
} from '../../../platform/auth/index.js';
import { ListUsersQueryDto, SetRoleDto, SetSubscriptionDto, UserDto, UserPageDto } from './users.dto.js';
import { UsersService } from './users.service.js';

@ApiTags('Users')
@RequireScopes('admin')
@Controller('api/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @ApiOperation({ summary: 'List users, newest first' })
  @ApiResponse({ status: 200, type: UserPageDto })
  list(@Query() { limit, cursor, email }: ListUsersQueryDto): Promise<UserPageDto> {
    return this.users.list(limit, cursor, email);
  }

  @Get(':id')
  @ApiParam({ name: 'id' })
  @ApiOperation({ summary: 'One user' })
  @ApiResponse({ status: 200, type: UserDto })
  find(@Param('id') id: string): Promise<UserDto> {
    return this.users.find(id);
  }

  @Put(':id/subscription')
  @ApiParam({ name: 'id' })
  @ApiOperation({ summary: 'Set what a user pays for; the limits of forms go by it' })
  @ApiResponse({ status: 200, type: UserDto })
  setSubscription(
    @Param('id') id: string,
    @Body() { tier }: SetSubscriptionDto,
    @Context() context: RequestContext,
  ): Promise<UserDto> {
    return this.users.setSubscription(id, tier, context);
  }

  @Put(':id/role')
  @ApiParam({ name: 'id' })
  @ApiOperation({ summary: 'Make a user an operator or admin, or a user again' })
  @ApiResponse({ status: 200, type: UserDto })
  setRole(
    @Param('id') id: string,
    @Body() { role }: SetRoleDto,
    @CurrentPrincipal() principal: Principal,
    @Context() context: RequestContext,
  ): Promise<UserDto> {
    return this.users.setRole(id, role, context, principal.kind === 'staff' ? principal.id : undefined);
  }

  @Delete(':id/sessions')
  @HttpCode(204)
  @ApiParam({ name: 'id' })
  @ApiOperation({ summary: 'Log a user out everywhere' })
  @ApiResponse({ status: 204, description: 'No session is left' })
  async endSessions(@Param('id') id: string, @Context() context: RequestContext): Promise<void> {
    await this.users.endSessions(id, context);
  }
}

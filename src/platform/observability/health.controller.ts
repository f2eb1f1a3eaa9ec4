import { Controller, Get, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../auth/index.js';
import { PLAIN_HTTP } from '../http/index.js';
import { LivenessDto, ReadinessDto } from './health.dto.js';
import { Readiness } from './readiness.js';

@ApiTags('Health')
@Controller('health')
@Public()
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @RouteConfig(PLAIN_HTTP)
  @ApiOperation({ summary: 'The process answers' })
  live(): LivenessDto {
    return { status: 'live' };
  }

  @Get('ready')
  @RouteConfig(PLAIN_HTTP)
  @ApiOperation({ summary: '200 while it can serve, else 503' })
  @ApiResponse({ status: 200, type: ReadinessDto })
  @ApiResponse({ status: 503, type: ReadinessDto, description: 'Not now: `checks` says why' })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessDto> {
    const readiness = await this.readiness.check();
    if (readiness.status !== 'ready') void reply.status(503).header('Retry-After', '5');
    return readiness;
  }
}

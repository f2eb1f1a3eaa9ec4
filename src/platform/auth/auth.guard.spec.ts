import { Controller, Get, Global, Injectable, Logger, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ProblemFilter } from '../http/index.js';
import { Metrics, MetricsModule } from '../metrics/index.js';
import { FailedAuthentications, RateLimitedError } from '../rate-limit/index.js';
import {
  AuthGuard,
  AuthModule,
  Authenticated,
  Context,
  CredentialVerifier,
  CurrentPrincipal,
  type Principal,
  Public,
  type RequestContext,
  RequireScopes,
  type Scope,
} from './index.js';

const asked: string[] = [];

@Injectable()
class KnownCredentials extends CredentialVerifier {
  private readonly scopes: Record<string, Scope[]> = {
    hf_reader: ['webhooks:read'],
    hf_both: ['webhooks:read', 'webhooks:write'],
    hf_admin: ['admin'],
  };

  override async verify(credential: string): Promise<Principal | null> {
    asked.push(credential);
    if (credential === 'hf_outage') throw new Error('the database is away');
    const scopes = this.scopes[credential];
    return scopes ? this.principal(credential, scopes) : null;
  }

  private principal(credential: string, scopes: Scope[]): Principal {
    return { kind: 'api-key', id: credential, name: credential, scopes, actor: `api-key:${credential}` };
  }
}

@Module({ providers: [{ provide: CredentialVerifier, useClass: KnownCredentials }], exports: [CredentialVerifier] })
class KnownCredentialsModule {}

/** Address 192.0.2.66 has failed too often. */
const failed = {
  recorded: [] as string[],
  record(ip: string) {
    this.recorded.push(ip);
    if (ip === '192.0.2.66') throw new RateLimitedError({ retryAfterMs: 1000 }, 0);
  },
};

@Global()
@Module({
  providers: [
    {
      provide: FailedAuthentications,
      useValue: failed,
    },
  ],
  exports: [FailedAuthentications],
})
class FailedAuthenticationsModule {}

@Controller('doors')
class Doors {
  @Get('public')
  @Public()
  open(@Context() context: RequestContext) {
    return { actor: context.actor };
  }

  @Get('any')
  @Authenticated()
  any(@CurrentPrincipal() principal: Principal, @Context() context: RequestContext) {
    return { id: principal.id, ...context };
  }

  @Get('read')
  @RequireScopes('webhooks:read')
  read() {
    return {};
  }

  @Get('both')
  @RequireScopes('webhooks:read', 'webhooks:write')
  both() {
    return {};
  }

  @Get('forgotten')
  forgotten() {
    return {};
  }
}

class Shared {
  @Get()
  list() {
    return {};
  }
}

@Controller('admin-only')
@RequireScopes('admin')
class AdminOnly extends Shared {
  @Get('except')
  @Public()
  except() {
    return {};
  }
}

@Controller('for-all')
@Public()
class ForAll extends Shared {}

let app: NestFastifyApplication;

beforeAll(async () => {
  const testing = await Test.createTestingModule({
    imports: [MetricsModule, FailedAuthenticationsModule, AuthModule.forRoot(KnownCredentialsModule)],
    providers: [{ provide: APP_GUARD, useExisting: AuthGuard }],
    controllers: [Doors, AdminOnly, ForAll],
  }).compile();
  app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter({ trustProxy: true }), {
    logger: false,
  });
  app.useGlobalFilters(new ProblemFilter());
  await app.init();
});

afterAll(() => app.close());
beforeEach(() => {
  asked.length = 0;
  failed.recorded.length = 0;
});

async function get(url: string, headers: Record<string, string> = {}) {
  const answer = await app.inject({ method: 'GET', url, headers });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` });

describe('AuthGuard', () => {
  it('lets anyone through a public route without asking about the credential', async () => {
    expect(await get('/doors/public', bearer('hf_unknown'))).toMatchObject({
      status: 200,
      body: { actor: 'anonymous' },
    });
    expect(asked).toEqual([]);
  });

  it('answers 401 with the scheme to use when there is no credential', async () => {
    const { status, headers, body } = await get('/doors/read');
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toBe('Bearer realm="holdfast"');
    expect(body).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
  });

  it('answers 401 to a credential the verifier does not know', async () => {
    const { status, headers, body } = await get('/doors/read', bearer('hf_unknown'));
    expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(headers['www-authenticate']).toBe('Bearer realm="holdfast"');
    expect(JSON.stringify(body)).not.toContain('hf_unknown');
  });

  it('answers 401 to two different credentials, good as each may be', async () => {
    const headers = { ...bearer('hf_reader'), 'x-api-key': 'hf_admin' };
    expect((await get('/doors/read', headers)).status).toBe(401);
    expect(asked).toEqual([]);
  });

  it('takes the key from either header', async () => {
    expect((await get('/doors/read', bearer('hf_reader'))).status).toBe(200);
    expect((await get('/doors/read', { 'x-api-key': 'hf_reader' })).status).toBe(200);
  });

  it('answers 403 naming the scope that is missing', async () => {
    const { status, body } = await get('/doors/both', bearer('hf_reader'));
    expect(status).toBe(403);
    expect(body).toMatchObject({ code: 'FORBIDDEN', details: { missingScopes: ['webhooks:write'] } });
    expect(body.detail).toContain('webhooks:write');
  });

  it('asks for all scopes of a route, and takes admin for any', async () => {
    expect((await get('/doors/both', bearer('hf_both'))).status).toBe(200);
    expect((await get('/doors/both', bearer('hf_admin'))).status).toBe(200);
  });

  it('closes a route without a policy to everyone, admins included', async () => {
    expect(await get('/doors/forgotten', bearer('hf_admin'))).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN' },
    });
    expect((await get('/doors/forgotten')).status).toBe(403);
  });

  it('names a route without a policy in the log', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockReturnValue();
    await get('/doors/forgotten', bearer('hf_admin'));
    expect(error).toHaveBeenCalledWith(expect.stringContaining('Doors.forgotten'));
    error.mockRestore();
  });

  it('logs why it refused, and nothing of the credential', async () => {
    const log = jest.spyOn(Logger.prototype, 'log').mockReturnValue();
    await get('/doors/read', bearer('hf_unknown'));
    const logged = JSON.stringify(log.mock.calls);
    log.mockRestore();
    expect(logged).toContain('"reason":"invalid"');
    expect(logged).not.toContain('hf_unknown');
  });

  it('records each failure to say who it is for its address, and no success', async () => {
    await get('/doors/read');
    await get('/doors/read', { authorization: 'Basic x' });
    await get('/doors/read', bearer('hf_unknown'));
    await get('/doors/both', bearer('hf_reader'));
    await get('/doors/read', bearer('hf_reader'));
    expect(failed.recorded).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
  });

  it('answers 429 where an address has failed too often, and lets in from there whoever is genuine', async () => {
    const there = { 'x-forwarded-for': '192.0.2.66' };
    expect(await get('/doors/read', { ...there, ...bearer('hf_reader') })).toMatchObject({ status: 200 });
    expect(await get('/doors/read', { ...there, ...bearer('hf_unknown') })).toMatchObject({ status: 429 });
    expect(await get('/doors/read', there)).toMatchObject({ status: 429 });
    expect(failed.recorded).toEqual(['192.0.2.66', '192.0.2.66']);
  });

  it('hands the principal and the context to the handler', async () => {
    const { body } = await get('/doors/any', { ...bearer('hf_reader') });
    expect(body).toMatchObject({ id: 'hf_reader', actor: 'api-key:hf_reader', ip: '127.0.0.1' });
    expect(body.requestId).toEqual(expect.any(String));
  });

  it('does not take a failing verifier for a refusal', async () => {
    expect((await get('/doors/read', bearer('hf_outage'))).status).toBe(500);
  });

  it('reads the policy of the controller, and before it that of the handler', async () => {
    expect((await get('/admin-only')).status).toBe(401);
    expect((await get('/admin-only', bearer('hf_reader'))).status).toBe(403);
    expect((await get('/admin-only/except')).status).toBe(200);
  });

  it('keeps apart two controllers that inherit one handler', async () => {
    expect((await get('/for-all')).status).toBe(200);
    expect((await get('/admin-only')).status).toBe(401);
    expect((await get('/for-all')).status).toBe(200);
  });

  it('counts refusals by reason', async () => {
    await get('/doors/read');
    const exposition = await app.get(Metrics).render();
    for (const reason of ['missing', 'invalid', 'ambiguous', 'scope']) {
      expect(exposition).toMatch(new RegExp(`holdfast_auth_failures_total{reason="${reason}"} [1-9]`));
    }
  });
});

describe('access decorators', () => {
  it('refuse a route that is declared twice, as the application loads', () => {
    expect(() => {
      class Undecided {
        @Public()
        @RequireScopes('admin')
        handler() {}
      }
      return Undecided;
    }).toThrow('not two of them');
  });
});

import { Body, Controller, Get, HttpCode, Module, Post, Req, Res } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DataSource } from 'typeorm';
import { loadConfig } from '../../src/config/index.js';
import { AppError } from '../../src/kernel/app-error.js';
import { Authenticated } from '../../src/platform/auth/index.js';
import { Claim, Idempotent, IdempotentTransactor, type RequestClaim } from '../../src/platform/idempotency/index.js';
import { run } from '../../src/run.js';

/**
 * The built server with routes that do what a test needs, to be run as `startServer({ entry })`. Their effect is a row in
 * `idempotent_effects`, a table without any unique key, so that an effect that happened twice is two rows.
 */
/** What the body of a test request may ask for. */
interface Wish {
  value?: string;
  /** Wait in the handler, after the effect, until there is a row of this name in `gates`. */
  gate?: string;
  /** Refuse with this status, after the effect. */
  refuse?: number;
  retryAfter?: number;
  /** kill -9 of the server after the effect, unless this attempt resumes another. */
  crash?: boolean;
  /** What to answer with. */
  answer?: 'object' | 'text' | 'nothing';
  /** Answer with this status, without an error. */
  status?: number;
}

class RefusedAsAsked extends AppError {
  readonly code = 'REFUSED_AS_ASKED';
  readonly title = 'Refused as asked';

  constructor(
    readonly status: number,
    retryAfter: number | undefined,
  ) {
    super('Refused: naïve – 日本語.', { details: { n: 1 }, ...(retryAfter !== undefined && { retryAfter }) });
  }
}

type Claimed = RequestClaim | undefined;

@Controller('test')
@Authenticated()
class IdempotentRoutes {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactor: IdempotentTransactor,
  ) {}

  @Post('guarded')
  @Idempotent({ required: false })
  async guarded(
    @Body() wish: Wish,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Claim() claim: Claimed,
  ): Promise<unknown> {
    reply.header('set-cookie', 'session=secret').header('x-hop', 'first answer only');
    const { resumed = null, signal } = request.idempotency ?? {};
    const n = await this.effect(claim, wish, resumed);
    if (wish.gate !== undefined) await this.open(wish.gate);
    if (wish.crash && !resumed) process.kill(process.pid, 'SIGKILL');
    if (wish.refuse !== undefined) throw new RefusedAsAsked(wish.refuse, wish.retryAfter);
    if (signal?.aborted) await this.dataSource.query('UPDATE idempotent_effects SET lost = true WHERE n = $1', [n]);
    if (wish.status !== undefined) reply.status(wish.status);
    if (wish.answer === 'nothing') return undefined;
    if (wish.answer === 'text') return `${n}: naïve – 日本語 🙂`;
    return { n, value: wish.value ?? null, resumed, text: 'naïve – 日本語 🙂 </script>', big: 12345678901234567890n };
  }

  @Post('required')
  @HttpCode(202)
  @Idempotent({ required: true })
  async required(@Body() wish: Wish, @Claim() claim: Claimed): Promise<unknown> {
    return { n: await this.effect(claim, wish, null), claim };
  }

  @Post('committed/:place')
  @Idempotent({ required: true, inTransaction: true })
  committed(
    @Body() wish: Wish,
    @Claim() claim: Claimed,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return this.commit(wish, claim, reply);
  }

  @Post('secret')
  @Idempotent({ required: true, inTransaction: true, confidential: true })
  secret(
    @Body() wish: Wish,
    @Claim() claim: Claimed,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return this.commit(wish, claim, reply);
  }

  @Post('forgotten')
  @Idempotent({ required: false, inTransaction: true })
  forgotten(): object {
    return { recorded: false };
  }

  @Post('without')
  async without(@Body() wish: Wish): Promise<unknown> {
    return { n: await this.effect(undefined, wish, null) };
  }

  private commit(wish: Wish, claim: Claimed, reply: FastifyReply): Promise<string> {
    reply.header('content-type', 'application/vnd.test+json; charset=utf-8');
    return this.transactor.run(
      claim,
      async (tx) => {
        const n = await this.effect(claim, wish, null, tx);
        if (wish.refuse !== undefined) throw new RefusedAsAsked(wish.refuse, wish.retryAfter);
        return `{ "n": ${n},  "spacing": "kept as it is", "text": "naïve – 日本語 🙂" }`;
      },
      { isolation: 'READ COMMITTED', attempts: 20 },
    );
  }

  @Get('read')
  read(): object {
    return { read: true };
  }

  private async effect(
    claim: Claimed,
    wish: Wish,
    resumed: boolean | null,
    by = this.dataSource.manager,
  ): Promise<number> {
    const [row] = await by.query<{ n: number }[]>(
      `INSERT INTO idempotent_effects (key, value, resumed, pid) VALUES ($1, $2, $3, $4) RETURNING n::integer`,
      [claim?.key ?? null, wish.value ?? null, resumed, process.pid],
    );
    return row?.n ?? NaN;
  }

  private async open(gate: string): Promise<void> {
    for (;;) {
      const [row] = await this.dataSource.query<object[]>('SELECT FROM gates WHERE name = $1', [gate]);
      if (row) return;
      await delay(10);
    }
  }
}

@Module({ controllers: [IdempotentRoutes] })
class IdempotentRoutesModule {}

await run(() => loadConfig(process.env), [IdempotentRoutesModule]);

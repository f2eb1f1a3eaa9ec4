import { Injectable } from '@nestjs/common';
import { jsonTime } from '../../wallet/index.js';
import { ProviderDirectory } from '../providers/provider-directory.js';
import type { PaymentFiguresDto, PaymentFiguresQueryDto } from './payment-figures.dto.js';
import { PaymentFiguresRepository } from './payment-figures.repository.js';
import { figuresView } from './payment-figures-view.js';
import { spanOf } from './span.js';

/** Figures of payments, as they are shown. */
@Injectable()
export class PaymentFiguresService {
  constructor(
    private readonly figures: PaymentFiguresRepository,
    private readonly directory: ProviderDirectory,
  ) {}

  /** @throws ValidationError (400) for a range that is empty or too long */
  async read({ bucket, groupBy, ...input }: PaymentFiguresQueryDto): Promise<PaymentFiguresDto> {
    // Before the figures: what is final by then is so in them.
    const { finalTo, now } = await this.figures.progress();
    const { from, to } = spanOf(input, bucket, now);
    const mode = input.mode ?? (this.directory.all.some((provider) => provider.mode === 'live') ? 'live' : 'test');
    const byProvider = groupBy === 'provider';
    const rows = await this.figures.read({ from, to, bucket, mode, byProvider });
    return {
      mode,
      bucket,
      from: jsonTime(from),
      to: jsonTime(to),
      finalTo: finalTo && jsonTime(finalTo),
      data: rows.map(figuresView),
    };
  }
}

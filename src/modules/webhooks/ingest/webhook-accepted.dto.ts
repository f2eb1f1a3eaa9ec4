import { ApiProperty } from '@nestjs/swagger';

/** The answer to a webhook that is safely stored. */
export class WebhookAcceptedDto {
  received: boolean;
  /**
   * `accepted`: stored, will run. `already_processed`: a duplicate, whatever became of the first. `processed`: an inline
   * source has finished.
   */
  status: 'accepted' | 'already_processed' | 'processed';
  /** Ours: `GET /api/webhook-events/:id`. */
  @ApiProperty({ format: 'uuid' })
  id: string;
  /** The provider's. */
  eventId: string;
}

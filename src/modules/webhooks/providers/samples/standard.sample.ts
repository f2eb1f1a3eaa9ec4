import type { JsonObject } from '../../../../kernel/exact-json.js';
import { isoTime, tokenFor } from './sample-values.js';

/** @returns a body in the form the Standard Webhooks specification recommends */
export function standardSample(eventType = 'user.created', eventId: string, timestamp: number) {
  const body: JsonObject = {
    type: eventType,
    timestamp: isoTime(timestamp),
    data: {
      id: `user_${tokenFor(eventId, 20)}`,
      email: 'jenny.rosen@example.com',
      name: 'Jenny Rosen',
      created_at: isoTime(timestamp),
    },
  };
  return { eventType, body };
}

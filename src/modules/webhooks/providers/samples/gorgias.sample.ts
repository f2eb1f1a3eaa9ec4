import type { JsonObject } from '../../../../kernel/exact-json.js';
import { isoTime, numberFor } from './sample-values.js';

/** @returns an event of a Gorgias HTTP integration with the usual ticket template */
export function gorgiasSample(eventType = 'ticket-created', eventId: string, timestamp: number) {
  const ticketId = numberFor(eventId, 8);
  const customer = { id: numberFor(`customer ${eventId}`, 9), name: 'Steve Frazelli', email: 'steve@example.com' };
  const body: JsonObject = {
    webhook_id: eventId,
    event_type: eventType,
    created_datetime: isoTime(timestamp),
    ticket: {
      id: ticketId,
      uri: `/api/tickets/${ticketId}/`,
      external_id: null,
      channel: 'email',
      via: 'email',
      status: 'open',
      updated_datetime: isoTime(timestamp),
      priority: 'normal',
      subject: 'Where is my order?',
      language: 'en',
      spam: false,
      customer,
      assignee_user: null,
      tags: [{ id: 37, name: 'order-status' }],
      messages_count: 1,
    },
    message: { from_agent: false, sender: customer, body_text: 'Hi, order 6735 has not arrived yet.' },
  };
  return { eventType, body };
}

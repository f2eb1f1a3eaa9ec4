/**
 * Makes of events in progress what their last attempt says: it has committed with what the handlers wrote. Indexes:
 * webhook_events_pkey or webhook_events_due_idx, webhook_attempts_pkey.
 *
 * @param which a condition on `event`, as SQL
 */
export function settling(which: string): string {
  return `
    UPDATE webhook_events AS event
    SET
      status = upper(done.outcome), processed = (done.outcome = 'processed'),
      processed_at = CASE done.outcome
        WHEN 'processed' THEN done.started_at + done.duration_ms * interval '1 millisecond'
      END,
      processing_time_ms = done.duration_ms, error_message = NULL, attempts = done.attempt,
      next_attempt_at = NULL, claim_id = NULL, claimed_by = NULL, claimed_at = NULL, updated_at = now()
    FROM webhook_attempts AS done
    WHERE
      ${which} AND event.status = 'PROCESSING'
      AND done.event = event.id AND done.attempt = event.attempts + 1 AND done.outcome IN ('processed', 'ignored')`;
}

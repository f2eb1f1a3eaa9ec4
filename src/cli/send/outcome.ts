import { problemOf } from '../api-client.js';
import type { Answer } from '../http.js';

/** What became of one delivery. */
export interface Outcome {
  ok: boolean;
  /** `accepted`, `already_processed` or `processed`; else status and code, such as `401 WEBHOOK_SIGNATURE_INVALID`. */
  name: string;
  /** Of the stored event. */
  id: string | undefined;
}

export function outcomeOf(answer: Answer): Outcome {
  if (answer.status !== 200) {
    const name = [answer.status, problemOf(answer).code ?? answer.statusText].join(' ');
    return { ok: false, name, id: undefined };
  }
  const { status, id }: { status?: string; id?: string } = JSON.parse(answer.body);
  return { ok: true, name: status ?? '200', id };
}

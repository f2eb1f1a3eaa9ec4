import type { FastifyReply } from 'fastify';

const UNDECIDED = ['created', 'processing', 'unknown'];

/** 202 for what is not decided yet: somebody still has to say what became of it. */
export function accepted<View extends { status: string }>(reply: FastifyReply, view: View, status: number): View {
  reply.status(UNDECIDED.includes(view.status) ? 202 : status);
  return view;
}

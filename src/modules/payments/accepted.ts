import type { FastifyReply } from 'fastify';

/** 202 for what is not decided yet. */
export function accepted<View extends { status: string }>(reply: FastifyReply, view: View, status: number): View {
  reply.status(view.status === 'unknown' || view.status === 'processing' ? 202 : status);
  return view;
}

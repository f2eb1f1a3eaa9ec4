import type { ExecutionContext, Type } from '@nestjs/common';

/** Codes with which a route refuses, all of one status. */
export interface Refusal {
  readonly status: number;
  readonly codes: readonly string[];
  /** When, for people; where the codes do not say it. */
  readonly why?: string;
}

const REFUSALS = 'holdfast:refusals';

type Handler = ReturnType<ExecutionContext['getHandler']>;

/**
 * Tells the OpenAPI document what a route, or every route of a controller, refuses beside what all routes of its kind do:
 * `@Refuses(402, 'INSUFFICIENT_FUNDS')`. Those of its kind are told by `src/openapi/refusals.ts`.
 */
export function Refuses(
  status: number,
  codes: string | readonly string[],
  why?: string,
): ClassDecorator & MethodDecorator {
  return (target: object, _key?: string | symbol, descriptor?: PropertyDescriptor) => {
    const subject: object = descriptor?.value ?? target;
    const refusal: Refusal = { status, codes: typeof codes === 'string' ? [codes] : codes, ...(why && { why }) };
    // Decorators run from the bottom up.
    Reflect.defineMetadata(REFUSALS, [refusal, ...ownRefusals(subject)], subject);
  };
}

/** Those of the route and of its controller. */
export function refusalsOf(handler: Handler, controller: Type): readonly Refusal[] {
  return [...ownRefusals(handler), ...ownRefusals(controller)];
}

function ownRefusals(subject: object): readonly Refusal[] {
  const declared: readonly Refusal[] | undefined = Reflect.getOwnMetadata(REFUSALS, subject);
  return declared ?? [];
}

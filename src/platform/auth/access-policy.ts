import { applyDecorators, type ExecutionContext, type Type } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Scope } from './scope.js';

/** Who may call a route: anyone, or a credential that holds all of `scopes` (none: any valid credential). */
export type AccessPolicy = 'public' | { readonly scopes: readonly Scope[] };

const ACCESS_POLICY = Reflector.createDecorator<AccessPolicy>();

type Handler = ReturnType<ExecutionContext['getHandler']>;

/** Puts the policy on a handler, or on a controller for all of its handlers; the handler's own wins. */
export function declareAccess(policy: AccessPolicy): ClassDecorator & MethodDecorator {
  return applyDecorators(refuseSecond, ACCESS_POLICY(policy));
}

function refuseSecond(target: object, _key?: string | symbol, descriptor?: PropertyDescriptor): void {
  if (Reflect.hasOwnMetadata(ACCESS_POLICY.KEY, descriptor?.value ?? target)) {
    throw new TypeError('A route is @Public(), @Authenticated() or @RequireScopes(…), not two of them.');
  }
}

/** Reads policies, each once: reflecting on every request would be most of what the guard costs a public route. */
export class AccessPolicies {
  private readonly reflector = new Reflector();
  private readonly known = new WeakMap<Handler, WeakMap<Type, AccessPolicy>>();

  /** undefined when neither the handler nor its controller declares one */
  of(handler: Handler, controller: Type): AccessPolicy | undefined {
    return this.known.get(handler)?.get(controller) ?? this.read(handler, controller);
  }

  private read(handler: Handler, controller: Type): AccessPolicy | undefined {
    const policy = this.reflector.getAllAndOverride(ACCESS_POLICY, [handler, controller]);
    if (policy === undefined) return undefined;
    // By controller too: two controllers may inherit one handler and differ in their own policy.
    const byController = this.known.get(handler) ?? new WeakMap<Type, AccessPolicy>();
    this.known.set(handler, byController.set(controller, policy));
    return policy;
  }
}

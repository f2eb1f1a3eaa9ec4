import type { ExecutionContext, INestApplicationContext, Type } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { AccessPolicies, type AccessPolicy } from '../platform/auth/index.js';
import { type Refusal, refusalsOf } from '../platform/http/index.js';
import { type IdempotentOptions, IdempotentRoutes } from '../platform/idempotency/index.js';
import { type RouteRules, routeRules } from '../platform/rate-limit/index.js';

type Handler = ReturnType<ExecutionContext['getHandler']>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

export type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** A route of the document, and what its code declares. */
export interface Route {
  readonly method: (typeof METHODS)[number];
  readonly operation: Operation;
  readonly policy: AccessPolicy;
  /** null where no idempotency key is taken */
  readonly idempotent: IdempotentOptions | null;
  readonly rules: RouteRules;
  /** Refusals beside those of every route of its kind. */
  readonly refusals: readonly Refusal[];
  /** DTO of the body; undefined where there is none. */
  readonly body: Type | undefined;
  /** The same of the query. */
  readonly query: Type | undefined;
}

type Declared = Omit<Route, 'method' | 'operation'>;

/** Open to nobody, until it says to whom. */
const CLOSED: AccessPolicy = { scopes: ['admin'] };

/** @throws TypeError when two handlers have one operation id: the document could not tell them apart */
export function routesOf(app: INestApplicationContext, { paths }: OpenAPIObject): Route[] {
  const declared = declarations(app.get(ModulesContainer));
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      if (operation === undefined) return [];
      const ofRoute = declared.get(operation.operationId ?? '');
      if (ofRoute === undefined) throw new TypeError(`${method} ${path} of the OpenAPI document is of no controller.`);
      return [{ method, operation, ...ofRoute }];
    }),
  );
}

/** By operation id, as `@nestjs/swagger` makes it. */
function declarations(modules: ModulesContainer): Map<string, Declared> {
  const controllers = [...modules.values()].flatMap((module) => [...module.controllers.values()]);
  const [policies, idempotent, scanner] = [new AccessPolicies(), new IdempotentRoutes(), new MetadataScanner()];
  const declared = new Map<string, Declared>();
  for (const controller of new Set(controllers.map(({ metatype }) => metatype))) {
    if (controller === null || !isClass(controller)) continue;
    for (const name of scanner.getAllMethodNames(controller.prototype)) {
      const id = `${controller.name}_${name}`;
      if (declared.has(id)) throw new TypeError(`Two controllers are named ${controller.name}; rename one of them.`);
      const handler = handlerOf(controller, name);
      declared.set(id, {
        policy: policies.of(handler, controller) ?? CLOSED,
        idempotent: idempotent.of(handler),
        rules: routeRules(handler, controller),
        refusals: refusalsOf(handler, controller),
        body: parameterType(controller, name, RouteParamtypes.BODY),
        query: parameterType(controller, name, RouteParamtypes.QUERY),
      });
    }
  }
  return declared;
}

function isClass(metatype: object): metatype is Type {
  return 'prototype' in metatype;
}

function handlerOf(controller: Type, name: string): Handler {
  const handler: Handler = controller.prototype[name];
  return handler;
}

function parameterType(controller: Type, name: string, kind: RouteParamtypes): Type | undefined {
  const parameters: object = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {};
  const types: readonly Type[] = Reflect.getMetadata('design:paramtypes', controller.prototype, name) ?? [];
  // `<kind>:<position>`
  const key = Object.keys(parameters).find((each) => each.startsWith(`${kind}:`));
  return key === undefined ? undefined : types[Number(key.slice(key.indexOf(':') + 1))];
}

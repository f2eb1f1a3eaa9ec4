import type { OpenAPIObject } from '@nestjs/swagger';
import type { Route } from './routes.js';

export const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key, `hf_…`, or the access token of a user.' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key, `hf_…`.' },
} as const satisfies NonNullable<OpenAPIObject['components']>['securitySchemes'];

/** Who may call a route: anyone, or who has a credential with its scopes, which OpenAPI 3.1 lists as roles. */
export function describeAccess({ operation, policy }: Route): void {
  if (policy === 'public') {
    operation.security = [];
    return;
  }
  const scopes = [...policy.scopes];
  operation.security = Object.keys(SECURITY_SCHEMES).map((scheme) => ({ [scheme]: scopes }));
  const needs =
    scopes.length === 0
      ? 'Any valid credential will do.'
      : `Needs a credential with the scope ${scopes.map((scope) => `\`${scope}\``).join(' and ')}.`;
  operation.description = [operation.description, needs].filter(Boolean).join('\n\n');
}

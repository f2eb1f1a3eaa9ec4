import type { Scope } from '../../../platform/auth/index.js';

export const ROLES = ['user', 'operator', 'admin'] as const;

export type Role = (typeof ROLES)[number];

/** Roles whose bearers act by their scopes on everything, as services do, and not only on what is their own. */
export type StaffRole = Exclude<Role, 'user'>;

export const SCOPES_OF: Readonly<Record<Role, readonly Scope[]>> = {
  user: ['wallet:read', 'wallet:write', 'payments:read', 'payments:write', 'forms:read', 'forms:write'],
  operator: ['wallet:read', 'payments:read', 'forms:read', 'webhooks:read', 'webhooks:write', 'audit:read'],
  admin: ['admin'],
};

export function isStaffRole(role: unknown): role is StaffRole {
  return role === 'operator' || role === 'admin';
}

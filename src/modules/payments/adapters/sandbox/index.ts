import { SandboxCharge } from './sandbox-charge.entity.js';
import { SandboxDispute } from './sandbox-dispute.entity.js';
import { SandboxEvent } from './sandbox-event.entity.js';
import { SandboxMovement } from './sandbox-movement.entity.js';
import { SandboxRefund } from './sandbox-refund.entity.js';

export const SANDBOX_ENTITIES = [SandboxCharge, SandboxRefund, SandboxDispute, SandboxMovement, SandboxEvent];

import type { EntityManager } from 'typeorm';
import { CheckpointRepository } from './checkpoint.repository.js';
import { CheckpointSigner } from './checkpoint-signer.js';
import { TrustedKeys } from './trusted-keys.js';

/**
 * Has the signing key of one `ENCRYPTION_KEY` vouch for that of another, so that the checkpoints signed so far go on being
 * worth what they are.
 *
 * @returns false when the newest checkpoint does not hold under the former key: nothing is there to vouch for
 */
export async function vouchForFormerKey(tx: EntityManager, formerKey: Buffer, nextKey: Buffer): Promise<boolean> {
  const checkpoints = new CheckpointRepository(tx);
  const former = new CheckpointSigner({ encryptionKey: formerKey });
  const [last] = await checkpoints.latest(null, 1);
  if (!last) return true;
  if (new TrustedKeys(former, await checkpoints.formerKeys()).stateOf(last) !== 'valid') return false;
  const next = new CheckpointSigner({ encryptionKey: nextKey });
  await checkpoints.addFormerKey(tx, next.vouchFor(former, last));
  return true;
}

import { createHash } from 'node:crypto';

/** RFC 6962, section 2.1: leaves and nodes are hashed with different first bytes, so that one cannot pose as the other. */
const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

/**
 * The root of a Merkle tree (RFC 6962, section 2.1) over a stream of leaves. It keeps the roots of the complete
 * subtrees seen so far and nothing else: 20 hashes for a million leaves.
 */
export class MerkleTree {
  /** Complete subtrees from left to right, each larger than the next. */
  private readonly subtrees: { leaves: number; root: Buffer }[] = [];

  add(leaf: Buffer): void {
    let added = { leaves: 1, root: sha256(LEAF, leaf) };
    for (let left = this.subtrees.at(-1); left?.leaves === added.leaves; left = this.subtrees.at(-1)) {
      this.subtrees.pop();
      added = { leaves: 2 * added.leaves, root: sha256(NODE, left.root, added.root) };
    }
    this.subtrees.push(added);
  }

  /** The root over the leaves so far; of none, the hash of nothing. */
  root(): Buffer {
    const roots = this.subtrees.map(({ root }) => root);
    return roots.length === 0 ? sha256() : roots.reduceRight((right, left) => sha256(NODE, left, right));
  }
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

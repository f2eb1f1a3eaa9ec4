import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { MerkleTree } from './merkle-tree.js';

/** The test leaves of the Certificate Transparency project and the roots over the first n of them. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (hex) => Buffer.from(hex, 'hex'),
);
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

function rootOf(leaves: readonly Buffer[]): string {
  const tree = new MerkleTree();
  leaves.forEach((leaf) => tree.add(leaf));
  return tree.root().toString('hex');
}

function sha256(...parts: Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

/** The definition of RFC 6962, section 2.1, to the letter. */
function definedRoot(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return sha256(Buffer.of(0), only);
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return sha256(Buffer.of(1), definedRoot(leaves.slice(0, half)), definedRoot(leaves.slice(half)));
}

describe('MerkleTree', () => {
  it.each(ROOTS.map((root, count) => [count, root] as const))('has the known root over %i leaves', (count, root) => {
    expect(rootOf(LEAVES.slice(0, count))).toBe(root);
  });

  it('has the root RFC 6962 defines, for any leaves', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 4 }), { maxLength: 70 }), (bytes) => {
        const leaves = bytes.map((leaf) => Buffer.from(leaf));
        expect(rootOf(leaves)).toBe(definedRoot(leaves).toString('hex'));
      }),
    );
  });

  it('does not take the hash of two leaves for a leaf', () => {
    const [one, two] = [Buffer.from('one'), Buffer.from('two')];
    const pair = Buffer.concat([sha256(Buffer.of(0), one), sha256(Buffer.of(0), two)]);
    expect(rootOf([pair])).not.toBe(rootOf([one, two]));
  });

  it('gives the root at any moment without ending the tree', () => {
    const tree = new MerkleTree();
    for (const [index, leaf] of LEAVES.entries()) {
      expect(tree.root().toString('hex')).toBe(ROOTS[index]);
      tree.add(leaf);
    }
  });
});

// Programs of the tests and benches run what ships: compiled into dist/, their imports of src/ lead to the built server.
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** @param folder with TypeScript files, for example `test/support`: those in it, not those in folders of it */
export async function compileIntoBuild(folder) {
  // Here, because most who import this file compile nothing.
  const { transformFile } = await import('@swc/core');
  const target = join(root, 'dist', folder);
  mkdirSync(target, { recursive: true });
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.ts'));
  // How is in .swcrc, as for the tests themselves.
  const options = { swcrc: true, cwd: root };
  await Promise.all(
    names.map(async (name) => {
      const { code } = await transformFile(join(root, folder, name), options);
      const file = join(target, name.replace(/\.ts$/, '.js'));
      // Another run may be reading it.
      writeFileSync(`${file}.${process.pid}`, code);
      renameSync(`${file}.${process.pid}`, file);
    }),
  );
}

/** @param entry a TypeScript file that was compiled, by its path in the project; where it is then */
export function compiled(entry) {
  return join(root, 'dist', entry.replace(/\.ts$/, '.js'));
}

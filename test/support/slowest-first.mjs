import { statSync } from 'node:fs';
import { relative, sep } from 'node:path';
import TestSequencer from '@jest/test-sequencer';

/** Files that start servers take longest; the others fill the gaps at the end. */
const FOLDERS = [`test${sep}e2e`, `test${sep}integration`];

/** Longest first, so that no worker is left alone with a long file: Jest's own order knows only what it has timed, a fresh clone nothing. */
export default class SlowestFirst extends TestSequencer {
  sort(tests) {
    const keyed = tests.map((test) => ({ test, folder: folderOf(test), size: statSync(test.path).size }));
    return keyed.toSorted((a, b) => a.folder - b.folder || b.size - a.size).map(({ test }) => test);
  }
}

function folderOf({ path, context }) {
  const place = FOLDERS.findIndex((folder) => relative(context.config.rootDir, path).startsWith(folder));
  return place === -1 ? FOLDERS.length : place;
}

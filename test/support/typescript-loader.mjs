// Lets Node import TypeScript, with the decorator metadata that Nest needs and that tsx, which compiles with esbuild, leaves out:
// Jest starts and stops what all tests share before it compiles anything.
import { register } from 'node:module';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transform } from '@swc/core';

if (isMainThread) register(import.meta.url);

export async function resolve(specifier, context, next) {
  const typescript = specifier.replace(/\.js$/, '.ts');
  if (specifier.startsWith('.') && typescript !== specifier && context.parentURL) {
    const url = new URL(typescript, context.parentURL);
    if (existsSync(url)) return next(url.href, context);
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const filename = fileURLToPath(url);
  // How is in .swcrc, for this loader and for Jest.
  const { code } = await transform(await readFile(filename, 'utf8'), { filename });
  return { format: 'module', source: code, shortCircuit: true };
}

import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Command } from 'commander';
import { writeFileSync } from 'node:fs';
import { AppModule } from '../app.module.js';
import { loadConfig } from '../config/index.js';
import { createAdapter } from '../configure-app.js';
import { openApiDocument } from '../openapi/index.js';
import { examples } from './examples.js';
import { print } from './output.js';

/** Nothing of the environment gets into the document; with keys given, nothing is written to DATA_DIR either. */
const ENVIRONMENT = { ENCRYPTION_KEY: '0'.repeat(64), JWT_SECRET: '0'.repeat(64) };

export function registerOpenApi(openapi: Command): void {
  openapi
    .option('--out <file>', 'where to; - for standard output', 'openapi.json')
    .addHelpText('after', examples('openapi --out openapi.json', 'openapi --out -'))
    .action(({ out }: { out: string }) => write(out));
}

async function write(out: string): Promise<void> {
  const config = loadConfig(ENVIRONMENT);
  // A preview wires the modules without making a single instance of theirs, so nothing connects anywhere.
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(config, 'postgres://preview'),
    createAdapter(config),
    { preview: true, logger: false, abortOnError: false },
  );
  const document = openApiDocument(app, config);
  const text = JSON.stringify(document, null, 2);
  if (out === '-') return print(text);
  writeFileSync(out, `${text}\n`);
  print(`Wrote ${out}: ${Object.keys(document.paths).length} paths.`);
}

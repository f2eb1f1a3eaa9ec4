import './typescript-loader.mjs';

const { startServices, stopServices } = await import('./services.ts');

// Jest ends at once then, without its teardown.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => void stopServices().finally(() => process.exit(130)));
}

/** Jest loads this file by itself, without compiling anything. */
export default startServices;

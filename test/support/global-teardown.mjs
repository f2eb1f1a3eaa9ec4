import './typescript-loader.mjs';

const { stopServices } = await import('./services.ts');

export default stopServices;

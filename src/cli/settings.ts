import { readFileSync } from 'node:fs';
// Not by its index.ts, which brings a Nest module: commands that only speak HTTP start in half the time.
import { type Config, loadConfig } from '../config/config.js';
import { CliError } from './cli.error.js';

const NO_KEY =
  'There is no API key: set HOLDFAST_API_KEY. One is made with: ' +
  'npx holdfast keys create --name me --scopes webhooks:read,webhooks:write';

/** Where the server and its data are, from the same environment that the server reads. */
export class Settings {
  private loaded: Config | undefined;

  constructor(readonly environment: NodeJS.ProcessEnv) {}

  /** Read when first needed: a command that is told everything needs no environment. @throws ConfigError */
  get config(): Config {
    this.loaded ??= loadConfig(this.environment);
    return this.loaded;
  }

  /**
   * The server's base URL without a trailing slash.
   *
   * @param given by `--url`
   * @throws CliError when it is none, or when the server's port is not known here
   */
  serverUrl(given: string | undefined): string {
    if (given !== undefined) return httpUrl(given);
    const { HOST, PORT } = this.config;
    if (PORT === 0) throw new CliError('PORT is 0, so only the server knows its port: name it with --url.');
    return `http://${reachable(HOST)}:${PORT}`;
  }

  /** Whether the server at `url` is, as far as one can tell, the one whose database is ours too. */
  isOurs(url: string): boolean {
    const { hostname } = new URL(url);
    return ['127.0.0.1', 'localhost', '[::1]'].includes(hostname) || hostname === reachable(this.config.HOST);
  }

  /**
   * `HOLDFAST_API_KEY`, else `BOOTSTRAP_API_KEY`, else the key the first start has kept. That one goes to our own server
   * only.
   *
   * @throws CliError when there is none
   */
  async apiKey(url: string): Promise<string> {
    const given = this.environment['HOLDFAST_API_KEY']?.trim() || this.config.BOOTSTRAP_API_KEY;
    if (given) return given;
    if (!this.isOurs(url)) throw new CliError(NO_KEY);
    // Loaded here, with all of Nest behind it, because most environments have a key.
    const { firstKeyPath } = await import('../first-key.js');
    try {
      return readFileSync(firstKeyPath(this.config), 'utf8').trim();
    } catch {
      throw new CliError(NO_KEY);
    }
  }
}

function httpUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new CliError(`"${text}" is not the URL of a server; it looks like http://127.0.0.1:3000`);
  }
  return text.replace(/\/+$/, '');
}

/** An address to listen on as one to connect to. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

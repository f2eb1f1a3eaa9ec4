import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeWords, parseMail } from '../../src/platform/mail/mailer.contract.js';
import { waitFor } from './wait-for.js';

/** A mail as its reader sees it. */
export interface ReceivedMail {
  readonly kind: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Of the link in it; empty when there is none. */
  readonly token: string;
}

/** The mails of a server without SMTP_URL, which lie in its data folder, each taken once. */
export class MailFolder {
  private readonly taken = new Set<string>();

  constructor(private readonly dataDir: string) {}

  /** Waits for the next mail of the kind to the address. */
  next(to: string, kind: string): Promise<ReceivedMail> {
    return waitFor(
      () => {
        const found = this.all(to).find((mail) => mail.kind === kind && !this.taken.has(mail.file));
        if (found) this.taken.add(found.file);
        return found;
      },
      { what: `a mail ${kind} to ${to}` },
    );
  }

  /** Every mail to the address so far, oldest first. */
  all(to: string): (ReceivedMail & { file: string })[] {
    const folder = join(this.dataDir, 'mail');
    const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.eml')) : [];
    return files
      .toSorted()
      .map((file) => ({ file, ...read(readFileSync(join(folder, file), 'utf8'), file) }))
      .filter((mail) => mail.to === to);
  }
}

function read(source: string, file: string): ReceivedMail {
  const { headers, parts } = parseMail(source);
  const [text = '', html = ''] = parts.map((part) => part.text);
  return {
    kind: /Z-(.+)-[0-9a-f]{8}-[0-9a-f]{4}-/.exec(file)?.[1] ?? '',
    to: headers['to'] ?? '',
    subject: decodeWords(headers['subject'] ?? ''),
    text,
    html,
    token: /#token=(\S+)/.exec(text)?.[1] ?? '',
  };
}

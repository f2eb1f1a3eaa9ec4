import type { EmailAddress } from '../../../kernel/email-address.js';
import type { Mail } from '../../../platform/mail/index.js';

interface AccountMail {
  readonly kind: string;
  readonly to: EmailAddress;
  readonly subject: string;
  readonly paragraphs: readonly string[];
  readonly action?: { readonly label: string; readonly link: string };
}

/** The one layout of account mails, plain and HTML, without pictures or anything that is loaded from elsewhere. */
export function accountMail({ kind, to, subject, paragraphs, action }: AccountMail): Mail {
  const [first = '', ...rest] = paragraphs;
  const text = [first, ...(action ? [`${action.label}:\n${action.link}`] : []), ...rest].join('\n\n');
  const html = [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    `<title>${escape(subject)}</title></head>`,
    '<body style="font-family:system-ui,sans-serif;line-height:1.5;max-width:36em;margin:2em auto;padding:0 1em">',
    `<h1 style="font-size:1.3em">${escape(subject)}</h1>`,
    `<p>${escape(first)}</p>`,
    ...(action ? [button(action.label, action.link)] : []),
    ...rest.map((paragraph) => `<p>${escape(paragraph)}</p>`),
    '</body></html>',
  ].join('\n');
  return { kind, to, subject, text: `${text}\n`, html, ...(action && { link: action.link }) };
}

function button(label: string, link: string): string {
  const style = 'display:inline-block;padding:.7em 1.2em;border-radius:.4em;background:#1f4fd8;color:#fff';
  return `<p><a href="${escape(link)}" style="${style}">${escape(label)}</a></p>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

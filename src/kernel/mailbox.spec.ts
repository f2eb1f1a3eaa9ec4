import { describe, expect, it } from '@jest/globals';
import { parseMailbox } from './mailbox.js';

describe('parseMailbox', () => {
  it.each([
    ['Holdfast <no-reply@holdfast.invalid>', 'Holdfast', 'no-reply@holdfast.invalid'],
    ['"Acme, Inc." <billing@acme.example>', 'Acme, Inc.', 'billing@acme.example'],
    ['Bäckerei Müller <post@xn--mller-kva.example>', 'Bäckerei Müller', 'post@xn--mller-kva.example'],
    ['Acme <Post@M\u00fcller.example>', 'Acme', 'post@xn--mller-kva.example'],
    [' a.b+c@example.com ', '', 'a.b+c@example.com'],
    ['<a@example.com>', '', 'a@example.com'],
  ])('reads %j', (text, name, address) => {
    expect(parseMailbox(text)).toEqual({ name, address });
  });

  it.each([
    '',
    'Holdfast',
    'Holdfast <>',
    'Holdfast <no-reply>',
    'Holdfast <no-reply@localhost>',
    'Holdfast < a@example.com>',
    'Holdfast <a@example.com',
    'a@example.com, b@example.com',
    'A <a@example.com> <b@example.com>',
    'A <a@example.com>\r\nBcc: b@example.com',
    'A\r\nBcc: b@example.com <a@example.com>',
    'a b@example.com',
    'a@-example.com',
  ])('refuses %j', (text) => {
    expect(parseMailbox(text)).toBeUndefined();
  });
});

import { describe, expect, it } from '@jest/globals';
import { type EmailAddress, emailAddress } from '../../../kernel/email-address.js';
import { accountMail } from './mail-layout.js';
import { alreadyRegisteredMail, passwordChangedMail, passwordResetMail, verificationMail } from './account-mails.js';

const ANN = emailAddress('ann@example.com') as EmailAddress;
const LINK = 'https://pay.example/verify-email#token=hfm_abc';

describe('A mail of an account', () => {
  it.each([
    ['a verification', verificationMail(ANN, LINK, 24)],
    ['a reset', passwordResetMail(ANN, LINK, 1)],
  ])('of %s has its link in both parts, once, and says what to do if it was not asked for', (_, mail) => {
    expect(mail.to).toBe(ANN);
    expect(mail.link).toBe(LINK);
    expect(mail.text.split(LINK)).toHaveLength(2);
    expect(mail.html.split(`href="${LINK}"`)).toHaveLength(2);
    expect(mail.text).toContain('If it was not you');
  });

  it('says for how long its link works', () => {
    expect(verificationMail(ANN, LINK, 24).text).toContain('it works once, within 24 hours.');
    expect(passwordResetMail(ANN, LINK, 1).text).toContain('it works once, within an hour.');
  });

  it.each([
    ['an address that is registered', alreadyRegisteredMail(ANN)],
    ['a changed password', passwordChangedMail(ANN)],
  ])('about %s has no link', (_, mail) => {
    expect(mail.link).toBeUndefined();
    expect(`${mail.text}${mail.html}`).not.toContain('http');
  });

  it('loads nothing from anywhere, and shows what looks like HTML as text', () => {
    const { html } = accountMail({
      kind: 'test',
      to: ANN,
      subject: 'a <b> & "c"',
      paragraphs: ['<script>alert(1)</script>'],
      action: { label: "it's", link: 'https://x.example/?a=1&b="' },
    });
    expect(html).not.toMatch(/<(?:script|img|link|iframe)/);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).toContain('<title>a &lt;b&gt; &amp; &quot;c&quot;</title>');
    expect(html).toContain('href="https://x.example/?a=1&amp;b=&quot;"');
    expect(html).toContain('it&#39;s');
  });
});

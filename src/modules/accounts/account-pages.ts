const PASSWORD_NEEDED =
  'Your address is verified. Somebody else registered it too, so no password counts yet: we sent you a mail to set yours.';

/** A page with one form, that `ACCOUNT_PAGES_SCRIPT` sends as JSON. No style or script inline: our own policy forbids it. */
function page(title: string, action: string, fields: string, button: string, done: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
</head>
<body>
<main>
<h1>${title}</h1>
<form data-action="${action}" data-done="${done}" data-password-needed="${PASSWORD_NEEDED}">
${fields}<p><button type="submit">${button}</button></p>
</form>
<p role="status"></p>
<noscript><p>This page needs JavaScript.</p></noscript>
</main>
<script src="/account-pages.js"></script>
</body>
</html>
`;
}

export const VERIFY_EMAIL_PAGE = page(
  'Verify your e-mail address',
  '/api/auth/verify-email',
  '',
  'Verify my address',
  'Your address is verified. You can log in now.',
);

export const RESET_PASSWORD_PAGE = page(
  'Set a new password',
  '/api/auth/reset',
  `<p><label>New password, 10 to 128 characters<br>
<input type="password" name="password" autocomplete="new-password" minlength="10" maxlength="128" required></label></p>
`,
  'Set password',
  'Your password is set. You can log in with it now.',
);

/** The token comes from the fragment, which stays in the browser, and leaves the address bar at once. */
export const ACCOUNT_PAGES_SCRIPT = `'use strict';
const form = document.querySelector('form');
const status = document.querySelector('[role=status]');
const token = new URLSearchParams(location.hash.slice(1)).get('token');
history.replaceState(null, '', location.pathname);
if (!token) {
  form.hidden = true;
  status.textContent = 'This link is not complete. Open it from the mail again.';
}
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  try {
    const body = JSON.stringify({ ...Object.fromEntries(new FormData(form)), token });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(form.dataset.action, { method: 'POST', headers, body });
    form.hidden = answer.ok;
    const said = await answer.json();
    const done = said.passwordNeeded ? form.dataset.passwordNeeded : form.dataset.done;
    status.textContent = answer.ok ? done : said.detail;
  } catch {
    status.textContent = 'The server cannot be reached. Try again.';
  } finally {
    button.disabled = false;
  }
});
`;

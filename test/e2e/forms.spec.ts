import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/http-answer.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { userToken } from '../support/user-token.js';
import { newUserId } from '../support/wallet-client.js';

const holdfast = serverUnderTest();

const newForm = async (body: object = {}, key?: string): Promise<Record<string, unknown>> => {
  const answer = await holdfast.call('POST', '/api/forms', { name: 'Contact', ...body }, key);
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 201 });
  return answer.body;
};
const pathOf = ({ id }: Record<string, unknown>) => `/api/forms/${String(id)}`;

describe('A form', () => {
  it('is made, shown, renamed and deleted, and every change is audited', async () => {
    const form = await newForm({ name: 'Contact' });
    expect(form).toEqual({
      id: expect.any(String),
      userId: null,
      name: 'Contact',
      createdAt: expect.any(String),
      updatedAt: form['createdAt'],
    });
    expect((await holdfast.call('GET', pathOf(form))).body).toEqual(form);

    const changed = await holdfast.call('PATCH', pathOf(form), { name: 'Write to us' });
    expect(changed).toMatchObject({ status: 200, body: { id: form['id'], name: 'Write to us' } });
    expectProblem(await holdfast.call('PATCH', pathOf(form), {}), 400, 'VALIDATION_FAILED');

    expect((await holdfast.call('DELETE', pathOf(form))).status).toBe(204);
    for (const method of ['GET', 'DELETE']) expectProblem(await holdfast.call(method, pathOf(form)), 404, 'NOT_FOUND');
    const lines = await holdfast.sql<{ action: string }>(
      'SELECT action FROM audit_log WHERE subject = $1 ORDER BY sequence NULLS LAST, at',
      [`form:${String(form['id'])}`],
    );
    expect(lines.map(({ action }) => action).toSorted()).toEqual(['form.changed', 'form.created', 'form.deleted']);
  });

  it("of a user is that user's alone", async () => {
    const [owner, other] = [newUserId(), newUserId()];
    const [asOwner, asOther] = [await userToken(owner), await userToken(other)];
    const form = await newForm({}, asOwner);
    expect(form).toMatchObject({ userId: owner });
    const teams = await newForm();

    expect((await holdfast.call('GET', pathOf(form), undefined, asOwner)).status).toBe(200);
    for (const path of [pathOf(form), pathOf(teams)]) {
      expectProblem(await holdfast.call('GET', path, undefined, asOther), 404, 'NOT_FOUND');
      expectProblem(await holdfast.call('PATCH', path, { name: 'Mine' }, asOther), 404, 'NOT_FOUND');
      expectProblem(await holdfast.call('DELETE', path, undefined, asOther), 404, 'NOT_FOUND');
    }
    expectProblem(await holdfast.call('POST', '/api/forms', { name: 'x', userId: owner }, asOther), 404, 'NOT_FOUND');
    expectProblem(await holdfast.call('GET', `/api/forms?userId=${owner}`, undefined, asOther), 404, 'NOT_FOUND');
    expect((await holdfast.call('GET', '/api/forms', undefined, asOther)).body).toEqual({ data: [], nextCursor: null });
    expect((await holdfast.call('GET', pathOf(form))).body).toEqual(form);
  });

  it('stands in a list by pages, newest first', async () => {
    const userId = newUserId();
    const made = [];
    for (let i = 0; i < 3; i++) made.unshift(await newForm({ userId }));
    const first = await holdfast.call('GET', `/api/forms?userId=${userId}&limit=2`);
    expect(first.body['data']).toEqual(made.slice(0, 2));
    const cursor = String(first.body['nextCursor']);
    const second = await holdfast.call('GET', `/api/forms?userId=${userId}&limit=2&cursor=${cursor}`);
    expect(second.body).toEqual({ data: made.slice(2), nextCursor: null });
  });
});

describe('The form after the last of a subscription', () => {
  it('is refused with what to do, and made once another is deleted', async () => {
    const userId = newUserId();
    const token = await userToken(userId);
    const forms = [];
    for (let i = 0; i < 5; i++) forms.push(await newForm({}, token));
    const refused = await holdfast.call('POST', '/api/forms', { name: 'Sixth' }, token);
    expectProblem(refused, 402, 'FORM_LIMIT_REACHED');
    expect(refused.body).toMatchObject({
      error: 'Form creation limit reached',
      details: {
        limit: 5,
        current: 5,
        subscription: 'free',
        message: 'Upgrade to Starter for up to 20 forms, Pro for up to 50 forms, or Business for unlimited forms',
      },
    });
    expect((await holdfast.call('DELETE', pathOf(forms[0] ?? {}), undefined, token)).status).toBe(204);
    await newForm({}, token);
  });
});

import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Channel, type Topic } from './channel.js';

/** One end of a pipe that copies what is sent, delivers it later, and fails once it is closed, as Node's does. */
class PipeEnd extends EventEmitter {
  other: PipeEnd | undefined;

  send(message: unknown, done: (error: Error | null) => void): boolean {
    const copy: unknown = structuredClone(message);
    setImmediate(() => {
      if (this.other === undefined) return done(new Error('Channel closed'));
      done(null);
      this.other.emit('message', copy);
    });
    return true;
  }
}

let here: Channel;
let there: Channel;
let pipe: PipeEnd;
let close: () => void;

beforeEach(() => {
  pipe = new PipeEnd();
  const far = new PipeEnd();
  [pipe.other, far.other] = [far, pipe];
  here = new Channel(pipe);
  there = new Channel(far);
  close = () => {
    pipe.other = far.other = undefined;
    pipe.emit('disconnect');
    far.emit('disconnect');
  };
});

const about = <Question = undefined, Answer = unknown>(name: string): Topic<Question, Answer> => ({ name });
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Channel', () => {
  it('brings a question there and its answer back, with what JSON has no words for', async () => {
    const echo = about<unknown>('echo');
    there.answer(echo, (content) => ({ heard: content }));
    const content = { wait: Infinity, at: new Date(0), amount: 12n, none: undefined };
    expect(await here.ask(echo, content)).toStrictEqual({ heard: content });
    expect(await here.ask(echo, undefined)).toStrictEqual({ heard: undefined });
  });

  it('gives each asker its own answer, in whatever order they come', async () => {
    const waiting: (() => void)[] = [];
    const double = about<number, number>('double');
    there.answer(double, (number) => new Promise((resolve) => waiting.push(() => resolve(number * 2))));
    const order: unknown[] = [];
    const asked = [1, 2, 3].map(async (number) => {
      const answer = await here.ask(double, number);
      order.push(answer);
      return answer;
    });
    while (waiting.length < 3) await turn();
    for (const answer of waiting.toReversed()) answer();
    expect(await Promise.all(asked)).toEqual([2, 4, 6]);
    expect(order).toEqual([6, 4, 2]);
  });

  it('keeps questions of both sides apart, though both count from 1', async () => {
    const name = about<undefined, string>('name');
    here.answer(name, () => 'here');
    there.answer(name, async () => `there, asked by ${await there.ask(name, undefined)}`);
    expect(await Promise.all([here.ask(name, undefined), there.ask(name, undefined)])).toEqual([
      'there, asked by here',
      'here',
    ]);
  });

  it.each<[string, () => unknown]>([
    ['throws', () => { throw new RangeError('too far'); }], // prettier-ignore
    ['rejects', () => Promise.reject(new RangeError('too far'))],
  ])('fails with the words of an answerer that %s', async (_, answerer) => {
    there.answer(about('reach'), answerer);
    await expect(here.ask(about('reach'), undefined)).rejects.toThrow(/^too far$/);
  });

  it.each([
    ['a question', () => here.ask(about<unknown>('echo'), () => 'a function')],
    ['an answer', () => here.ask(about('function'), undefined)],
  ])('fails for %s that cannot be sent', async (_, ask) => {
    there.answer(about('function'), () => () => 'a function');
    await expect(ask()).rejects.toThrow('could not be cloned');
  });

  it('fails for a topic that nobody answers', async () => {
    await expect(here.ask(about('weather'), undefined)).rejects.toThrow('Nobody here answers questions about weather');
  });

  it('fails what is under way when the other process ends, and whatever is asked after that', async () => {
    there.answer(about('never'), () => new Promise(() => undefined));
    const asked = Promise.allSettled([here.ask(about('never'), undefined), here.ask(about('never'), undefined)]);
    await turn();
    close();
    const ended = { status: 'rejected', reason: new Error('The other process has ended') };
    expect(await asked).toEqual([ended, ended]);
    await expect(here.ask(about('never'), undefined)).rejects.toThrow('Channel closed');
  });

  it('bears that the asker is gone before its answer', async () => {
    let answer: () => void = () => undefined;
    there.answer(about('slow'), () => new Promise<void>((resolve) => (answer = resolve)));
    const asked = here.ask(about('slow'), undefined);
    await turn();
    close();
    await expect(asked).rejects.toThrow('ended');
    answer();
    // A rejection that nobody handles would fail this run.
    await turn();
    await turn();
  });

  it.each([null, 'ready', 7, {}, { topic: 'echo' }, { answerTo: 99, content: 1 }])(
    'takes no notice of %j, which is none of its messages',
    async (message) => {
      there.answer(about<unknown>('echo'), (content) => content);
      const asked = here.ask(about<unknown>('echo'), 'still there');
      pipe.emit('message', message);
      expect(await asked).toBe('still there');
    },
  );
});

/** What one process asks the other about, and the types of question and answer. */
export interface Topic<Question, Answer> {
  readonly name: string;
  /** For the compiler only: types leave no trace in what runs. */
  readonly types?: (question: Question) => Answer;
}

/** One end of the pipe between two processes of Node: a `Worker` of node:cluster, in either process. */
interface Pipe {
  send(message: unknown, done: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** Numbers pair an answer with its question. */
type Message =
  | { readonly question: number; readonly topic: string; readonly content: unknown }
  | { readonly answerTo: number; readonly content: unknown }
  | { readonly answerTo: number; readonly error: string };

interface Asker {
  resolve(content: unknown): void;
  reject(error: Error): void;
}

/** Questions and answers between two processes of one program, both ways. What is sent is copied (structured clone). */
export class Channel {
  /** By number of the question. No Map: V8 keeps the tables that a Map outgrows, with what was in them (see `Patience`). */
  private readonly askers: Record<number, Asker> = {};
  private readonly answerers = new Map<string, (content: unknown) => unknown>();
  private last = 0;

  constructor(private readonly pipe: Pipe) {
    pipe.on('message', (message) => this.receive(message));
    pipe.on('disconnect', () => this.end());
  }

  /** @throws Error what the other process failed with, or that it has ended */
  ask<Question, Answer>(topic: Topic<Question, Answer>, question: Question): Promise<Answer> {
    const number = ++this.last;
    return new Promise<unknown>((resolve, reject) => {
      this.askers[number] = { resolve, reject };
      const failed = (error: Error) => this.settle(number)?.reject(error);
      this.send({ question: number, topic: topic.name, content: question }, failed);
    }) as Promise<Answer>; // The other process is this very program: the topic says what it answers.
  }

  /** From now on questions about this topic are answered with what `answerer` returns or throws. */
  answer<Question, Answer>(
    topic: Topic<Question, Answer>,
    answerer: (question: Question) => Answer | Promise<Answer>,
  ): void {
    this.answerers.set(topic.name, answerer as (content: unknown) => unknown);
  }

  private receive(message: unknown): void {
    if (!isMessage(message)) return;
    if ('question' in message) void this.reply(message.question, message.topic, message.content);
    else if ('error' in message) this.settle(message.answerTo)?.reject(new Error(message.error));
    else this.settle(message.answerTo)?.resolve(message.content);
  }

  private async reply(question: number, topic: string, content: unknown): Promise<void> {
    // Who asked may be gone by now: then nobody waits for what cannot be sent.
    const refuse = (error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      this.send({ answerTo: question, error: text }, () => undefined);
    };
    try {
      const answerer = this.answerers.get(topic);
      if (answerer === undefined) throw new Error(`Nobody here answers questions about ${topic}`);
      this.send({ answerTo: question, content: await answerer(content) }, refuse);
    } catch (error) {
      refuse(error);
    }
  }

  private send(message: Message, failed: (error: Error) => void): void {
    try {
      this.pipe.send(message, (error) => {
        if (error) failed(error);
      });
    } catch (error) {
      // At once, for what cannot be cloned.
      failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private settle(question: number): Asker | undefined {
    const asker = this.askers[question];
    delete this.askers[question];
    return asker;
  }

  private end(): void {
    for (const question of Object.keys(this.askers)) {
      this.settle(Number(question))?.reject(new Error('The other process has ended'));
    }
  }
}

function isMessage(message: unknown): message is Message {
  return typeof message === 'object' && message !== null && ('question' in message || 'answerTo' in message);
}

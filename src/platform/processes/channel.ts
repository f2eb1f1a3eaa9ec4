/** One end of the pipe between two processes of Node. */
interface Pipe {
  send?(message: unknown, done: (error: Error | null) => void): boolean;
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

/** Questions and answers between two processes, both ways. What is sent is copied (structured clone). */
export class Channel {
  private readonly askers = new Map<number, Asker>();
  private readonly answerers = new Map<string, (content: unknown) => unknown>();
  private last = 0;

  constructor(private readonly pipe: Pipe) {
    pipe.on('message', (message) => this.receive(message));
    pipe.on('disconnect', () => this.end());
  }

  /** @throws Error what the other process failed with, or that it has ended */
  ask(topic: string, content?: unknown): Promise<unknown> {
    const question = ++this.last;
    return new Promise((resolve, reject) => {
      this.askers.set(question, { resolve, reject });
      this.send({ question, topic, content }, (error) => this.settle(question)?.reject(error));
    });
  }

  /** From now on questions about this topic are answered with what `answerer` returns or throws. */
  answer(topic: string, answerer: (content: unknown) => unknown): void {
    this.answerers.set(topic, answerer);
  }

  private receive(message: unknown): void {
    if (!isMessage(message)) return;
    if ('question' in message) void this.reply(message.question, message.topic, message.content);
    else if ('error' in message) this.settle(message.answerTo)?.reject(new Error(message.error));
    else this.settle(message.answerTo)?.resolve(message.content);
  }

  private async reply(question: number, topic: string, content: unknown): Promise<void> {
    let answer: Message;
    try {
      const answerer = this.answerers.get(topic);
      if (answerer === undefined) throw new Error(`Nobody here answers questions about ${topic}`);
      answer = { answerTo: question, content: await answerer(content) };
    } catch (error) {
      answer = { answerTo: question, error: error instanceof Error ? error.message : String(error) };
    }
    // Who asked may be gone by now.
    this.send(answer, () => undefined);
  }

  private send(message: Message, failed: (error: Error) => void): void {
    this.pipe.send?.(message, (error) => {
      if (error) failed(error);
    });
  }

  private settle(question: number): Asker | undefined {
    const asker = this.askers.get(question);
    this.askers.delete(question);
    return asker;
  }

  private end(): void {
    for (const question of this.askers.keys()) this.settle(question)?.reject(new Error('The other process has ended'));
  }
}

function isMessage(message: unknown): message is Message {
  return typeof message === 'object' && message !== null && ('question' in message || 'answerTo' in message);
}

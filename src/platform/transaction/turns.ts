/** `group`: the ledger's coalescing writer. `single`: everybody else. The two alternate. */
export type Lane = 'group' | 'single';

interface Waiter {
  readonly goAhead: () => void;
}

/** Milliseconds. The lock itself is the database's: who has waited so long asks there, whoever's turn it is here. */
const PATIENCE_MS = 1000;

/**
 * Those in this process that want the same lock, one after the other, before they take a connection: waiting for the lock itself
 * they would hold the pool's connections, and of many single transactions in PostgreSQL's queue each would be as much before
 * a group as the whole group is before the next. Here the lanes alternate.
 *
 * It orders, and protects nothing: that is the lock's work, which other processes take as well.
 */
export class Turns {
  private readonly lines = new Map<string, Line>();

  /** @returns once it is the caller's turn; call it when that is over */
  async take(lock: string, lane: Lane): Promise<() => void> {
    let line = this.lines.get(lock);
    if (line === undefined) this.lines.set(lock, (line = new Line()));
    return line.take(lane);
  }
}

/** The turns at one lock. */
class Line {
  private readonly waiting: Readonly<Record<Lane, Set<Waiter>>> = { group: new Set(), single: new Set() };
  private turn: { readonly lane: Lane } | undefined;

  async take(lane: Lane): Promise<() => void> {
    const mine = { lane };
    if (this.turn === undefined) this.turn = mine;
    else await this.wait(mine);
    return () => {
      // Of one whose turn was taken from it, somebody else passes it on.
      if (this.turn === mine) this.passOn(lane);
    };
  }

  private wait(mine: { readonly lane: Lane }): Promise<void> {
    const waiting = this.waiting[mine.lane];
    return new Promise((resolve) => {
      const waiter: Waiter = {
        goAhead: () => {
          clearTimeout(timer);
          waiting.delete(waiter);
          this.turn = mine;
          resolve();
        },
      };
      const timer = setTimeout(waiter.goAhead, PATIENCE_MS);
      waiting.add(waiter);
    });
  }

  private passOn(from: Lane): void {
    this.turn = undefined;
    const lanes: readonly Lane[] = from === 'group' ? ['single', 'group'] : ['group', 'single'];
    for (const lane of lanes) {
      // The one that has waited longest.
      for (const next of this.waiting[lane]) return next.goAhead();
    }
  }
}

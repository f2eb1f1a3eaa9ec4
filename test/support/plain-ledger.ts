import fc from 'fast-check';

/** A step a caller may ask for; people, holds and transfers are named by their place among those there are. */
export type Step =
  | { do: 'transfer'; from: number; to: number; amount: number; reference?: number }
  | { do: 'take'; from: number; amount: number; reference?: number }
  | { do: 'hold'; from: number; to: number; amount: number; seconds: number }
  | { do: 'capture'; hold: number; amount?: number }
  | { do: 'void'; hold: number }
  | { do: 'reverse'; transfer: number };

/** Steps sent together, some time after those before. */
export interface Batch {
  atomic: boolean;
  steps: Step[];
  /** Seconds. */
  after: number;
  /** Whose account is frozen from before that time until after the steps. */
  frozen?: number;
}

/** 0 is the world outside, which may go below zero; 5 does not exist, 4 is in another currency. */
export const WORLD = 0;
export const STRANGER = 5;
export const FOREIGNER = 4;

/** What a person owes is below zero on an account of this many more. */
const OWED = 10;

const anyPerson = fc.nat({ max: STRANGER });
/** Small, so that funds run out and holds meet. */
const anyAmount = fc.integer({ min: 0, max: 40 });
const which = fc.nat({ max: 11 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({ do: fc.constant('transfer' as const), from: anyPerson, to: anyPerson, amount: anyAmount }),
    weight: 5,
  },
  {
    arbitrary: fc.record({
      do: fc.constant('transfer' as const),
      from: anyPerson,
      to: anyPerson,
      amount: anyAmount,
      reference: fc.nat({ max: 3 }),
    }),
    weight: 1,
  },
  {
    arbitrary: fc.record(
      {
        do: fc.constant('take' as const),
        from: fc.integer({ min: 1, max: STRANGER }),
        amount: anyAmount,
        reference: fc.nat({ max: 3 }),
      },
      { requiredKeys: ['do', 'from', 'amount'] },
    ),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      do: fc.constant('hold' as const),
      from: anyPerson,
      to: anyPerson,
      amount: anyAmount,
      seconds: fc.integer({ min: 1, max: 30 }),
    }),
    weight: 4,
  },
  {
    arbitrary: fc.record(
      { do: fc.constant('capture' as const), hold: which, amount: anyAmount },
      { requiredKeys: ['do', 'hold'] },
    ),
    weight: 3,
  },
  { arbitrary: fc.record({ do: fc.constant('void' as const), hold: which }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constant('reverse' as const), transfer: which }), weight: 3 },
);

/** Histories of a ledger: batches, atomic or not, with time between them. */
export const history: fc.Arbitrary<Batch[]> = fc.array(
  fc.record(
    {
      atomic: fc.boolean(),
      steps: fc.array(step, { minLength: 1, maxLength: 8 }),
      after: fc.nat({ max: 12 }),
      frozen: fc.integer({ min: 1, max: 3 }),
    },
    { requiredKeys: ['atomic', 'steps', 'after'] },
  ),
  { maxLength: 12 },
);

interface PlainHold {
  from: number;
  to: number;
  amount: number;
  until: number;
  end: 'CAPTURED' | 'VOIDED' | undefined;
}

interface PlainTransfer {
  from: number;
  to: number;
  amount: number;
  reversal: boolean;
  reversed: boolean;
  /** Not what was lent or repaid. */
  asked: boolean;
}

/**
 * The ledger as one would write it on a napkin: a list of everything that happened, and every question answered by going
 * through it. Nothing in common with the real one but the rules.
 */
export class PlainLedger {
  now = 0;
  private transfers: PlainTransfer[] = [];
  private holds: PlainHold[] = [];
  private references = new Set<number>();
  private frozen: number | undefined;

  /** One code a step: `posted`, the status of the hold, or the code of the refusal. */
  carryOut({ atomic, steps, after, frozen }: Batch): string[] {
    this.now += after;
    this.frozen = frozen;
    this.collect();
    if (!atomic || steps.length === 1) return steps.map((each) => this.one(each));
    const impossible = steps.map((each) => this.impossible(each));
    if (impossible.some((code) => code !== undefined)) return impossible.map((code) => code ?? 'BATCH_REJECTED');
    const before = structuredClone([this.transfers, this.holds, this.references] as const);
    const codes: string[] = [];
    for (const each of steps) {
      const code = this.one(each);
      codes.push(code);
      if (isRefusal(code)) {
        [this.transfers, this.holds, this.references] = before;
        return steps.map((_, index) => (index === codes.length - 1 ? code : 'BATCH_REJECTED'));
      }
    }
    return codes;
  }

  balanceOf(person: number): number {
    return this.transfers.reduce(
      (sum, { from, to, amount }) => sum + (to === person ? amount : 0) - (from === person ? amount : 0),
      0,
    );
  }

  /** What they owe. */
  debtOf(person: number): number {
    return -this.balanceOf(OWED + person);
  }

  /** What they can spend, once they have repaid what they can. */
  availableTo(person: number): number {
    return Math.max(0, this.freeOf(person) - this.debtOf(person));
  }

  heldOf(person: number): number {
    return this.holds
      .filter((hold) => hold.from === person && this.statusOf(hold) === 'ACTIVE')
      .reduce((sum, { amount }) => sum + amount, 0);
  }

  /** In the order in which the holds were placed. */
  get holdStatuses(): string[] {
    return this.holds.map((hold) => this.statusOf(hold));
  }

  get transferCount(): number {
    return this.transfers.length;
  }

  /** What is refused whatever has happened. */
  private impossible(each: Step): string | undefined {
    if (each.do === 'capture' && each.amount === 0) return 'INVALID_AMOUNT';
    if (each.do === 'void' || each.do === 'capture' || each.do === 'reverse') return undefined;
    if (each.amount === 0) return 'INVALID_AMOUNT';
    const to = each.do === 'take' ? WORLD : each.to;
    if ((each.from === FOREIGNER) !== (to === FOREIGNER)) return 'CURRENCY_MISMATCH';
    if (each.from === to) return 'SELF_TRANSFER';
    return undefined;
  }

  private one(each: Step): string {
    const code = this.impossible(each) ?? this.tried(each);
    this.collect();
    return code;
  }

  private tried(each: Step): string {
    switch (each.do) {
      case 'transfer':
        if (each.from === STRANGER || each.to === STRANGER) return 'NOT_FOUND';
        if (each.reference !== undefined && this.references.has(each.reference)) return 'REFERENCE_ALREADY_USED';
        if (!this.covers(each.from, each.amount)) return 'INSUFFICIENT_FUNDS';
        if (this.isFrozen(each.from, each.to)) return 'ACCOUNT_FROZEN';
        if (each.reference !== undefined) this.references.add(each.reference);
        this.move(each.from, each.to, each.amount);
        return 'posted';
      case 'take':
        if (each.from === STRANGER) return 'NOT_FOUND';
        if (each.reference !== undefined && this.references.has(each.reference)) return 'REFERENCE_ALREADY_USED';
        if (each.reference !== undefined) this.references.add(each.reference);
        this.take(each.from, each.amount);
        return 'posted';
      case 'hold':
        if (each.from === STRANGER || each.to === STRANGER) return 'NOT_FOUND';
        if (!this.covers(each.from, each.amount)) return 'INSUFFICIENT_FUNDS';
        if (this.isFrozen(each.from, each.to)) return 'ACCOUNT_FROZEN';
        this.holds.push({
          from: each.from,
          to: each.to,
          amount: each.amount,
          until: this.now + each.seconds,
          end: undefined,
        });
        return 'ACTIVE';
      case 'reverse':
        return this.reverse(this.transfers.filter(({ asked }) => asked)[each.transfer]);
      case 'capture':
      case 'void':
        return this.resolve(this.holds[each.hold], each);
    }
  }

  private reverse(transfer: PlainTransfer | undefined): string {
    if (!transfer) return 'NOT_FOUND';
    if (transfer.from > OWED) return 'FORBIDDEN';
    if (transfer.reversal) return 'REVERSAL_NOT_REVERSIBLE';
    if (transfer.reversed) return 'ALREADY_REVERSED';
    const { from, to, amount } = transfer;
    if (!this.covers(to, amount)) return 'INSUFFICIENT_FUNDS';
    if (this.isFrozen(from, to)) return 'ACCOUNT_FROZEN';
    transfer.reversed = true;
    this.move(to, from, amount, { reversal: true });
    return 'posted';
  }

  private resolve(hold: PlainHold | undefined, each: Extract<Step, { hold: number }>): string {
    if (!hold) return 'NOT_FOUND';
    if (hold.end !== undefined) return 'HOLD_ALREADY_RESOLVED';
    if (this.statusOf(hold) === 'EXPIRED') return 'HOLD_EXPIRED';
    if (each.do === 'void') return (hold.end = 'VOIDED');
    const amount = each.amount ?? hold.amount;
    if (amount > hold.amount) return 'CAPTURE_EXCEEDS_HOLD';
    if (this.isFrozen(hold.from, hold.to)) return 'ACCOUNT_FROZEN';
    this.move(hold.from, hold.to, amount);
    return (hold.end = 'CAPTURED');
  }

  /** Time alone ends a hold that nothing else has ended. */
  private statusOf({ end, until }: PlainHold): string {
    return end ?? (this.now >= until ? 'EXPIRED' : 'ACTIVE');
  }

  private covers(person: number, amount: number): boolean {
    return person === WORLD || this.freeOf(person) >= amount;
  }

  private freeOf(person: number): number {
    return this.balanceOf(person) - this.heldOf(person);
  }

  private isFrozen(...people: number[]): boolean {
    return this.frozen !== undefined && people.includes(this.frozen);
  }

  /** Whether or not it is there: somebody has taken it already. */
  private take(from: number, amount: number): void {
    if (this.isFrozen(from)) return this.move(OWED + from, WORLD, amount);
    const lacking = amount - this.freeOf(from);
    if (lacking > 0) this.move(OWED + from, from, lacking, { asked: false });
    this.move(from, WORLD, amount);
  }

  /** Who owes keeps nothing that could be spent. */
  private collect(): void {
    for (const person of [1, 2, 3, FOREIGNER]) {
      const amount = Math.min(this.freeOf(person), this.debtOf(person));
      if (amount > 0 && !this.isFrozen(person)) this.move(person, OWED + person, amount, { asked: false });
    }
  }

  private move(from: number, to: number, amount: number, more: Partial<PlainTransfer> = {}): void {
    this.transfers.push({ from, to, amount, reversal: false, reversed: false, asked: true, ...more });
  }
}

export function isRefusal(code: string): boolean {
  return !['posted', 'ACTIVE', 'CAPTURED', 'VOIDED'].includes(code);
}

import { describe, expect, it } from '@jest/globals';
import { CoalescerFactory } from '../../platform/coalescer/index.js';
import { Metrics } from '../../platform/metrics/index.js';
import { LedgerPast } from './ledger-past.js';
import type { LedgerMoment } from './ledger-past.repository.js';

const AT = new Date('2026-03-01T12:00:00.005Z');

/** @param moments what the database says, one look after the other */
function past(...moments: LedgerMoment[]): { past: LedgerPast; calls: string[] } {
  const calls: string[] = [];
  const repository = {
    look: async (at: Date) => {
      expect(at).toEqual(AT);
      calls.push('look');
      const next = moments.shift();
      if (!next) throw new Error('There was nothing more to look for');
      return next;
    },
    awaitHolder: async () => void calls.push('awaitHolder'),
  };
  return { past: new LedgerPast(new CoalescerFactory(new Metrics()), repository), calls };
}

function moment(milliseconds: number, isHeld = false): LedgerMoment {
  return { now: new Date(AT.getTime() + milliseconds), isHeld };
}

describe('a moment of the ledger', () => {
  it('that is over is closed at once when nobody holds the ledger since before', async () => {
    const { past: ledger, calls } = past(moment(1));
    await ledger.close(AT);
    expect(calls).toEqual(['look']);
  });

  it('that is over is closed once whoever has held the ledger since before has ended', async () => {
    const { past: ledger, calls } = past(moment(1, true));
    await ledger.close(AT);
    expect(calls).toEqual(['look', 'awaitHolder']);
  });

  it('is not closed within its own millisecond: a posting of later may still come into it', async () => {
    const { past: ledger, calls } = past(moment(0), moment(0, true), moment(1, true));
    await ledger.close(AT);
    expect(calls).toEqual(['look', 'look', 'look', 'awaitHolder']);
  });

  it('that is still to come is refused, with the time of the database', async () => {
    const { past: ledger } = past(moment(-1));
    await expect(ledger.close(AT)).rejects.toMatchObject({
      status: 400,
      details: { errors: [{ path: 'at', message: expect.stringContaining('2026-03-01T12:00:00.004Z') }] },
    });
  });
});

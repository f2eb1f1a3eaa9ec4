import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Patience } from './patience.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const never = () => new Promise<never>(() => undefined);

describe('Patience', () => {
  it('hands on what comes in time, and what fails', async () => {
    const patience = new Patience(500);
    await expect(patience.wait(Promise.resolve(7))).resolves.toBe(7);
    await expect(patience.wait(Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives up after the deadline and not before', async () => {
    const patience = new Patience(500);
    const ended = jest.fn();
    patience.wait(never()).catch(ended);
    await jest.advanceTimersByTimeAsync(500);
    expect(ended).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(100);
    expect(ended).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives up all with the oldest: they wait for the same', async () => {
    const patience = new Patience(500);
    const ended = jest.fn();
    patience.wait(never()).catch(ended);
    await jest.advanceTimersByTimeAsync(400);
    patience.wait(never()).catch(ended);
    await jest.advanceTimersByTimeAsync(200);
    expect(ended).toHaveBeenCalledTimes(2);
  });

  it('does not lose patience over a pause of the process itself, in which answers could not be read', async () => {
    jest.useRealTimers();
    const patience = new Patience(200);
    const answer = new Promise((resolve) => setTimeout(resolve, 60, 'late'));
    const waited = patience.wait(answer);
    const end = performance.now() + 500;
    while (performance.now() < end);
    await expect(waited).resolves.toBe('late');
  });

  it('is ready for the next when all of an outage are given up', async () => {
    const patience = new Patience(100);
    patience.wait(never()).catch(() => undefined);
    await jest.advanceTimersByTimeAsync(300);
    await expect(patience.wait(Promise.resolve(1))).resolves.toBe(1);
  });
});

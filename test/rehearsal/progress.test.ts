import { describe, expect, it } from 'vitest';
import { together } from '../../agent/rehearsal/progress.ts';

const never = new AbortController().signal;

describe('together', () => {
  it('stops the others at the first failure, waits for them, and throws that failure', async () => {
    const ended: string[] = [];
    const patient = async (signal: AbortSignal): Promise<void> => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      ended.push('patient');
      throw new Error('the second failure');
    };
    const failing = async (signal: AbortSignal): Promise<void> => {
      if (!signal.aborted) ended.push('failing');
      await Promise.reject(new Error('the first failure'));
    };
    await expect(together([patient, failing], never)).rejects.toThrow('the first failure');
    expect(ended).toEqual(['failing', 'patient']);
  });

  it('gives the reason of the caller when the caller stopped it', async () => {
    const stop = new AbortController();
    const task = async (signal: AbortSignal): Promise<void> => {
      stop.abort(new Error('enough'));
      signal.throwIfAborted();
      await Promise.resolve();
    };
    await expect(together([task], stop.signal)).rejects.toThrow('enough');
  });
});

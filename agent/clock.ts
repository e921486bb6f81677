import { uptime } from 'node:os';

import type { Clock } from './reconcile/ports.ts';

/** Longest wait that a timer of Node takes. */
const TIMER_MS_MAX = 2_147_483_647;

/** The machine's own time. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  // Linux: CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME.
  instant: () => ({
    monotonicMs: performance.now(),
    bootMs: uptime() * 1000,
    wallMs: Date.now(),
  }),
  date: () => new Date().toISOString(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(asError(signal.reason));
        return;
      }
      const onAbort = (): void => {
        cancel();
        reject(asError(signal.reason));
      };
      const cancel = systemClock.after(ms, () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      signal.addEventListener('abort', onAbort, { once: true });
    }),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms), TIMER_MS_MAX));
    return () => {
      clearTimeout(timer);
    };
  },
};

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

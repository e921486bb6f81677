import type { Printer } from '../cli/printer.ts';
import type { Doing } from './packages.ts';

/** Milliseconds after which a step that is not done yet says so, and from then on between two such lines. */
const firstSignMs = 2_000;
const nextSignMs = 10_000;

/** Carries out one step: a line when it is done, and a sign of life while it takes long. */
export async function step<T>(
  print: Printer,
  done: string | ((result: T) => string),
  action: (doing: Doing) => Promise<T>,
): Promise<T> {
  let now = '';
  let said = '';
  let timer: NodeJS.Timeout | undefined;
  const sign = (): void => {
    if (now !== '') print.line(now === said ? `still ${now}` : `${now} ...`, 'dim');
    said = now;
    timer = setTimeout(sign, nextSignMs);
  };
  timer = setTimeout(sign, firstSignMs);
  try {
    const result = await action((text) => {
      now = text;
    });
    print.line(typeof done === 'string' ? done : done(result));
    return result;
  } finally {
    clearTimeout(timer);
  }
}

/** Runs tasks at once; the first failure stops the others, and is thrown when all have ended. */
export async function together(
  tasks: readonly ((signal: AbortSignal) => Promise<unknown>)[],
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const limit = AbortSignal.any([signal, stop.signal]);
  const failures: unknown[] = [];
  const guarded = async (task: (signal: AbortSignal) => Promise<unknown>): Promise<void> => {
    try {
      await task(limit);
    } catch (cause) {
      failures.push(cause);
      stop.abort(cause);
    }
  };
  await Promise.all(tasks.map(guarded));
  signal.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}

import type { Healthcheck as Written } from '../../../../schemas/compose-service.ts';
import type { Path } from '../../../core/parse.ts';
import type { Healthcheck } from '../engine-api.ts';
import { readDuration } from './durations.ts';
import type { Notes } from './notes.ts';
import { nonZero, present } from './present.ts';

/** `healthcheck`. A key that is there gives a healthcheck, even an empty one; zero is left out. */
export function convertHealthcheck(
  written: Written | undefined,
  path: Path,
  notes: Notes,
): Healthcheck | undefined {
  if (written === undefined) return undefined;
  const time = (key: 'interval' | 'timeout' | 'start_period' | 'start_interval') =>
    nonZero(readDuration(written[key], [...path, key], notes, '0 or at least 1ms'));
  const { test, disable, retries, start_interval: startInterval } = written;
  if (startInterval !== undefined && startInterval !== '') {
    notes.warn(
      'ignored-key',
      [...path, 'start_interval'],
      'the engine drops `start_interval`: checks come every `interval` from the start',
    );
  }
  const times = present({
    Interval: time('interval'),
    Timeout: time('timeout'),
    StartPeriod: time('start_period'),
    StartInterval: time('start_interval'),
  });
  if (retries !== undefined && retries < 0)
    notes.error('wrong-value', [...path, 'retries'], 'there are no negative retries');
  if (disable === true) {
    if (test !== undefined && test.length > 0) {
      notes.error('conflict', [...path, 'test'], '`test` and `disable: true` exclude each other');
    }
    return { Test: ['NONE'] };
  }
  return {
    ...present({
      Test: testOf(test),
      Retries: nonZero(retries === undefined ? undefined : Math.trunc(retries)),
    }),
    ...times,
  };
}

/** A text is a command for the shell, also the text `NONE`. */
function testOf(test: Written['test']): string[] | undefined {
  if (typeof test === 'string') return ['CMD-SHELL', test];
  return test === undefined || test.length === 0 ? undefined : test;
}

import type {
  Deploy,
  Placement as WrittenPlacement,
  RestartPolicy as WrittenRestart,
  Update,
} from '../../../../schemas/compose-deploy.ts';
import type { Path } from '../../../core/parse.ts';
import type { Placement, RestartPolicy, ServiceMode, UpdateConfig } from '../engine-api.ts';
import { readDuration } from './durations.ts';
import type { Notes } from './notes.ts';
import { nonEmpty, nonZero, present } from './present.ts';

/** `deploy.mode` and `deploy.replicas`. */
export function convertMode(deploy: Deploy, path: Path, notes: Notes): ServiceMode {
  const { mode, replicas } = deploy;
  switch (mode) {
    case undefined:
    case '':
    case 'replicated':
      return { Replicated: present({ Replicas: replicas }) };
    case 'replicated-job':
      return { ReplicatedJob: present({ MaxConcurrent: replicas, TotalCompletions: replicas }) };
    case 'global':
    case 'global-job':
      if (replicas !== undefined) {
        notes.error(
          'conflict',
          [...path, 'replicas'],
          `a service with \`mode: ${mode}\` has no replicas: it runs on every node`,
        );
      }
      return mode === 'global' ? { Global: {} } : { GlobalJob: {} };
    default:
      notes.error(
        'wrong-value',
        [...path, 'mode'],
        'services have no such mode',
        'write `replicated`, `global`, `replicated-job` or `global-job`',
      );
      return {};
  }
}

/** `update_config` or `rollback_config`: parallelism 1 unless it is given. */
export function convertUpdate(
  kind: 'update_config' | 'rollback_config',
  deploy: Deploy,
  path: Path,
  notes: Notes,
): UpdateConfig | undefined {
  const written = deploy[kind];
  if (written === undefined) return undefined;
  const at = [...path, kind];
  if (deploy.mode?.endsWith('-job') === true) {
    if (kind === 'update_config')
      notes.errorAtKey(
        'conflict',
        at,
        'a job has no `update_config`: it is not updated but run again',
      );
    else
      notes.warn('ignored-key', at, 'a job is never rolled back: `rollback_config` has no effect');
  }
  noteUpdateWords(kind, written, at, notes);
  const ratio = written.max_failure_ratio ?? 0;
  if (!(ratio >= 0 && ratio <= 1))
    notes.error('wrong-value', [...at, 'max_failure_ratio'], 'a ratio is a number from 0 to 1');
  return {
    Parallelism: written.parallelism ?? 1,
    ...present({
      Delay: nonZero(readDuration(written.delay, [...at, 'delay'], notes, 'not negative')),
      FailureAction: nonEmpty(written.failure_action),
      Monitor: nonZero(readDuration(written.monitor, [...at, 'monitor'], notes, 'not negative')),
    }),
    MaxFailureRatio: shortFloat(ratio),
    Order: written.order ?? '',
  };
}

function noteUpdateWords(kind: string, written: Update, path: Path, notes: Notes): void {
  const { failure_action: action, order } = written;
  const actions =
    kind === 'update_config' ? ['pause', 'continue', 'rollback'] : ['pause', 'continue'];
  if (action !== undefined && action !== '' && !actions.includes(action)) {
    // The engine takes it of both, and has nowhere to roll a rollback back to.
    const isMeaningless = action === 'rollback';
    notes[isMeaningless ? 'unworkable' : 'error'](
      'wrong-value',
      [...path, 'failure_action'],
      `\`${kind}\` has no such failure action`,
      `write ${actions.map((word) => `\`${word}\``).join(' or ')}`,
    );
  }
  if (order !== undefined && order !== 'start-first' && order !== 'stop-first') {
    notes.error(
      'wrong-value',
      [...path, 'order'],
      'there is no such order',
      'write `start-first` or `stop-first`',
    );
  }
}

/** The shortest decimal that gives the same 32-bit float, which is what the engine keeps. */
function shortFloat(value: number): number {
  const single = Math.fround(value);
  for (let digits = 1; digits <= 9; digits += 1) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return short;
  }
  return single;
}

/** `restart_policy`: each field only if it is given, zero included. */
export function convertRestart(
  written: WrittenRestart | undefined,
  path: Path,
  notes: Notes,
): RestartPolicy | undefined {
  if (written === undefined) return undefined;
  const { condition } = written;
  if (condition !== undefined && !['', 'none', 'on-failure', 'any'].includes(condition)) {
    notes.error(
      'wrong-value',
      [...path, 'condition'],
      'there is no such restart condition',
      'write `any`, `on-failure` or `none`',
    );
  }
  return present({
    Condition: nonEmpty(condition),
    Delay: readDuration(written.delay, [...path, 'delay'], notes, 'not negative'),
    MaxAttempts: written.max_attempts,
    Window: readDuration(written.window, [...path, 'window'], notes, 'not negative'),
  });
}

/** `placement`: always there, at least empty. */
export function convertPlacement(
  written: WrittenPlacement | undefined,
  path: Path,
  notes: Notes,
): Placement {
  const constraints = written?.constraints ?? [];
  for (const [index, constraint] of constraints.entries()) {
    if (/^\s*[^\s=!]+\s*[=!]=\s*\S/.test(constraint)) continue;
    notes.error(
      'wrong-value',
      [...path, 'constraints', index],
      'a constraint compares with `==` or `!=`',
      'write it like `node.role == manager`',
    );
  }
  const preferences = written?.preferences ?? [];
  for (const [index, { spread }] of preferences.entries()) {
    if (spread === undefined || spread === '')
      notes.unworkable(
        'missing-key',
        [...path, 'preferences', index],
        'a preference needs `spread`',
      );
  }
  return present({
    Constraints: constraints.length === 0 ? undefined : constraints,
    Preferences:
      preferences.length === 0
        ? undefined
        : preferences.map(({ spread = '' }) => ({ Spread: { SpreadDescriptor: spread } })),
    MaxReplicas: nonZero(written?.max_replicas_per_node),
  });
}

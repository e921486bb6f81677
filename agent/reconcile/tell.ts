import { type Freeze, frozenLine } from '../core/freeze.ts';
import type { Id } from '../core/kind.ts';
import type { Stopped } from '../core/rollout-end.ts';
import type { Step } from '../core/step.ts';
import type { UnitEvent } from '../core/unit-event.ts';
import type { UnitView } from '../core/view.ts';
import type { Reporter } from './ports.ts';
import type { RevisionStanding } from './revision.ts';

/** What people were told last of what lasts, so that only what changed is told. */
export interface Told {
  /** How each unit that verifies or goes back does. */
  readonly tasks: ReadonlyMap<Id, string>;
  readonly held: ReadonlyMap<Id, string>;
  readonly notes: ReadonlyMap<Id, string>;
  readonly degraded: ReadonlySet<Id>;
  /** What of the record could not be read. */
  readonly record: string;
  /** The revision whose end was told, and how it ended. */
  readonly ended: string;
  /** The freeze that is in force. */
  readonly frozen: string;
  /** The revision whose rest is held, and why. */
  readonly stopped: string;
  /** Why nothing could be read or recorded, while that lasts. */
  readonly waiting: string | undefined;
}

/** Nothing was told yet. */
export const nothingTold: Told = {
  tasks: new Map(),
  held: new Map(),
  notes: new Map(),
  degraded: new Set(),
  record: '',
  ended: '',
  frozen: '',
  stopped: '',
  waiting: undefined,
};

/** What is told beside the units. */
interface Beside {
  /** Of the record. */
  readonly notes: readonly string[];
  /** How the revision ended, where it did. */
  readonly revision: RevisionStanding['event'];
  /** What an earlier step changed and could not tell, because nobody knew whether it was recorded. */
  readonly late: readonly UnitEvent[];
  /** Nothing may be called while there is one. */
  readonly freeze?: Freeze;
}

/** Tells what a step found and changed in how units stand. The step is recorded by now. */
export function tellStep<Call>(
  { views, events, unapproved, stopped }: Step<Call>,
  { notes: recordNotes, revision, late, freeze }: Beside,
  told: Told,
  reporter: Reporter,
): Told {
  if (told.waiting !== undefined) reporter.tell({ event: 'going on', of: 'swarm' });
  const record = recordNotes.join('; ');
  if (record !== '' && record !== told.record) {
    reporter.tell({ event: 'record notes', notes: bounded(recordNotes) });
  }
  const frozen = tellFreeze(freeze, told.frozen, reporter);
  for (const event of [...late, ...events, ...unapproved]) reporter.tell(event);
  return {
    tasks: tellLines(views, told.tasks, tasksOf, ({ id, phase }, tasks) => {
      reporter.tell({ event: 'unit verifying', id, tasks, rollback: phase === 'reverting' });
    }),
    held: tellLines(views, told.held, heldOf, ({ id }, why) => {
      reporter.tell({ event: 'unit held', id, why });
    }),
    notes: tellLines(views, told.notes, notesOf, ({ id, notes }) => {
      reporter.tell({ event: 'unit notes', id, notes });
    }),
    degraded: tellDegraded(views, told.degraded, reporter),
    stopped: tellStopped(stopped, told.stopped, reporter),
    ended: tellEnd(revision, told.ended, reporter),
    record,
    frozen,
    waiting: undefined,
  };
}

/** Once when it begins, again when somebody changes it, and when it is over. */
function tellFreeze(freeze: Freeze | undefined, told: string, reporter: Reporter): string {
  if (freeze === undefined) {
    if (told !== '') reporter.tell({ event: 'unfrozen', was: told });
    return '';
  }
  const line = frozenLine(freeze);
  const { leftMs: _leftMs, ...said } = freeze;
  if (line !== told) reporter.tell({ event: 'frozen', ...said });
  return line;
}

/** Once when it begins, or begins anew after somebody helped. */
function tellStopped(stopped: Stopped | undefined, told: string, reporter: Reporter): string {
  if (stopped === undefined) return '';
  const line = `${stopped.revision} ${stopped.why}`;
  if (line !== told) reporter.tell({ event: 'rollout stopped', ...stopped });
  return line;
}

const NOTES_MAX = 20;

function bounded(notes: readonly string[]): readonly string[] {
  if (notes.length <= NOTES_MAX) return notes;
  return [...notes.slice(0, NOTES_MAX), `and ${String(notes.length - NOTES_MAX)} more`];
}

/** One line a unit: told when there is one and it is another than last time. */
function tellLines(
  views: readonly UnitView[],
  told: ReadonlyMap<Id, string>,
  lineOf: (view: UnitView) => string,
  tell: (view: UnitView, line: string) => void,
): ReadonlyMap<Id, string> {
  const lines = new Map<Id, string>();
  for (const view of views) {
    const line = lineOf(view);
    if (line === '') continue;
    lines.set(view.id, line);
    if (told.get(view.id) !== line) tell(view, line);
  }
  return lines;
}

function tasksOf({ phase, health }: UnitView): string {
  const open = phase === 'verifying' || phase === 'reverting';
  return open ? (health?.summary ?? '') : '';
}

/** What is stuck was told as such, and whoever waits for a turn only gets it in a moment: that may be hundreds. */
function heldOf({ held = '', phase, gate, heldBy }: UnitView): string {
  if (heldBy === 'turn') return '';
  return phase === 'stuck' && gate === undefined ? '' : held;
}

function notesOf({ notes }: UnitView): string {
  return notes.join('; ');
}

/** Nothing is to be done about it, and its tasks are not as they should be: the engine may put that right by itself. */
function tellDegraded(
  views: readonly UnitView[],
  was: ReadonlySet<Id>,
  reporter: Reporter,
): ReadonlySet<Id> {
  const degraded = new Set<Id>();
  for (const { id, phase, pending, leftOut, held, partsHeld, gate, health } of views) {
    if (phase !== 'none' || pending || leftOut === true || health === undefined) continue;
    if (held !== undefined && gate === undefined && partsHeld !== true) continue;
    const tasks = health.summary;
    const is = health.status !== 'converged';
    if (is) degraded.add(id);
    if (is && !was.has(id)) reporter.tell({ event: 'unit degraded', id, tasks });
    if (!is && was.has(id)) reporter.tell({ event: 'unit recovered', id, tasks });
  }
  return degraded;
}

/** Once when a revision ends, again when it ends otherwise, and once after a start. */
function tellEnd(revision: Beside['revision'], told: string, reporter: Reporter): string {
  if (revision === undefined) return told;
  const units =
    revision.event === 'revision failed'
      ? [revision.failed, revision.rolledBack]
      : [revision.quarantined, revision.suspended];
  const { event, revision: commit, waiting = [], held } = revision;
  const ended = JSON.stringify([event, commit, ...units, waiting, held?.count]);
  if (ended !== told) reporter.tell(revision);
  return ended;
}

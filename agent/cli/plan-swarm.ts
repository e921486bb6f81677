import type { Rendered } from '../core/kind.ts';
import type { Plan } from '../core/plan.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { UnitRenderer } from '../render/renderer.ts';
import { isStackSpec, type UnitSpec } from '../render/unit-spec.ts';
import { lockedNote } from './age-key.ts';
import { leftOut } from './plan-closed.ts';
import { inWords } from './ask-put.ts';
import type { PlanWanted } from './plan-options.ts';
import type { Looked, Planned, PlanIo, Sight, Units } from './plan-ports.ts';
import { nameOf, named, type Read, readWanted } from './plan-revisions.ts';
import { withProgress } from './progress.ts';
import { environmentsOf, renderAll } from './rendered.ts';

/** What a plan against the Swarm is made with. */
export interface SwarmPlanning {
  readonly io: PlanIo;
  readonly renderer: UnitRenderer;
  readonly sight: Sight;
}

type Failed = Extract<Planned, { readonly status: 'failed' }>;

/** Plans what an agent would do now about a revision. Reads only. Throws `SourceError`. */
export async function planSwarm(
  wanted: PlanWanted,
  planning: SwarmPlanning,
  signal: AbortSignal,
): Promise<Planned> {
  const { io } = planning;
  const read = await readWanted(wanted, io, signal);
  if ('status' in read) return read;
  const ahead = new Ahead();
  await renderAhead(planning.renderer, { wanted, read, ahead }, signal);
  const looked = await lookAt(planning, wanted, signal);
  if ('status' in looked) return looked;
  ahead.compareWith(looked);
  return planLooked(wanted, planning, { read, looked }, signal);
}

/** Compares units as they are rendered: this process has nothing else to do then. */
class Ahead {
  readonly #waiting: Rendered<UnitSpec>[] = [];
  #looked: Looked | undefined;

  take(unit: Rendered<UnitSpec>): void {
    if (this.#looked === undefined) this.#waiting.push(unit);
    else this.#looked.compareAhead(unit);
  }

  compareWith(looked: Looked): void {
    this.#looked = looked;
    for (const unit of this.#waiting.splice(0)) looked.compareAhead(unit);
  }
}

/**
 * Begins what takes longest: it goes on while the Swarm is read. Resolves once the renderer has files to work on, because to
 * read the Swarm keeps this process busy. What comes of it is kept by the renderer, and told when it is asked for.
 */
async function renderAhead(
  renderer: UnitRenderer,
  of: { readonly wanted: PlanWanted; readonly read: Read; readonly ahead: Ahead },
  signal: AbortSignal,
): Promise<void> {
  const { snapshot } = of.read;
  const [likely, ...others] = environmentsOf(snapshot, of.wanted.environment);
  if (likely === undefined || others.length > 0) return;
  await new Promise<void>((resolve) => {
    const ended = (): void => resolve();
    const watcher = { given: ended, unit: (unit: Rendered<UnitSpec>) => of.ahead.take(unit) };
    renderer.renderFor(likely, snapshot, signal, watcher).then(ended, ended);
  });
}

/** Looks at the Swarm. */
export async function lookAt(
  { io, sight }: Pick<SwarmPlanning, 'io' | 'sight'>,
  { socket }: Pick<PlanWanted, 'socket'>,
  signal: AbortSignal,
): Promise<Looked | Failed> {
  const seen = await withProgress(io, 'reading the Swarm', () => sight.look(signal));
  if (seen.status === 'ok') return seen.value;
  // A record that this version cannot read: the Swarm itself was reached.
  const isRead = seen.status === 'refused' && seen.retry === 'never' && seen.cause === undefined;
  return { status: 'failed', code: isRead ? 1 : 6, why: inWords(seen, socket) };
}

/** Plans by what was read and seen. Throws `SourceError`. */
export async function planLooked(
  wanted: PlanWanted,
  { io, renderer }: Pick<SwarmPlanning, 'io' | 'renderer'>,
  { read, looked }: { readonly read: Read; readonly looked: Looked },
  signal: AbortSignal,
): Promise<Planned> {
  const { snapshot } = read;
  const environment = environmentFor(wanted.environment, looked, read);
  if (typeof environment === 'object') return environment;
  const [rendered, revision] = await Promise.all([
    withProgress(io, `rendering ${nameOf(named(snapshot))}`, () =>
      renderAll(renderer, snapshot, [environment], signal),
    ),
    revisionOf(read, signal),
  ]);
  const report = rendered.reports.get(environment);
  if (rendered.invalid || report === undefined) {
    return { status: 'invalid', of: named(snapshot), diagnostics: rendered.diagnostics };
  }
  const descent = await descentOf(looked.seen, read, signal);
  const { units, settings } = report;
  const wish = { environment, units, settings, revision, ...descent };
  const plan = await looked.plan(wish, signal);
  const { diagnostics: warnings } = rendered;
  const compared = withoutUnseen(withoutClosed(plan, units), units, looked.unseen);
  const plans = { to: named(snapshot), environments: [compared], notes: [], warnings };
  return { status: 'planned', plans };
}

/** A stack with files that stayed closed cannot be compared with what runs: it is named, and nothing is said to change. */
function withoutClosed(plan: Plan, units: Units): Plan {
  const note = lockedNote(units);
  if (note === undefined) return plan;
  const closed = new Set(units.filter(({ locked }) => locked !== undefined).map(({ id }) => id));
  const notes = [...plan.notes, `${note}; not compared: ${[...closed].toSorted().join(', ')}`];
  return { ...leftOut(plan, closed), notes };
}

/** Databases and accounts of which nobody looked at the server are counted, and nothing is said to change. */
function withoutUnseen(plan: Plan, units: Units, why: string | undefined): Plan {
  const unseen = units.filter(({ spec }) => !isStackSpec(spec)).map(({ id }) => id);
  if (why === undefined || unseen.length === 0) return plan;
  const left = leftOut(plan, new Set(unseen));
  return { ...left, notes: [...left.notes, `${unseenInWords(unseen)} not compared: ${why}`] };
}

const NAMED_MAX = 3;

function unseenInWords(ids: readonly string[]): string {
  const named = ids.slice(0, NAMED_MAX).join(', ');
  const more = ids.length - NAMED_MAX;
  return more > 0
    ? `${named} and ${String(more)} more are`
    : `${named} ${ids.length > 1 ? 'are' : 'is'}`;
}

function environmentFor(
  wanted: string | undefined,
  { environment: recorded }: Looked,
  { snapshot }: Read,
): string | Failed {
  if (recorded !== undefined) {
    if (wanted === undefined || wanted === recorded) return recorded;
    const why = `the agents of this Swarm are set to environment \`${recorded}\`, not to \`${wanted}\``;
    return { status: 'failed', code: 1, why };
  }
  const [first = '', ...others] = environmentsOf(snapshot, wanted);
  if (others.length === 0) return first;
  const names = [first, ...others].join(', ');
  const why = `no agent has run on this Swarm yet: name the environment with \`--environment\`, one of ${names}`;
  return { status: 'failed', code: 2, why };
}

/** What agents would call it: a folder in which nothing differs from its commit is that commit. */
async function revisionOf(
  { snapshot, commit, repository }: Read,
  signal: AbortSignal,
): Promise<string> {
  const { revision, entries } = snapshot;
  if (commit === undefined || repository === undefined || revision === commit) return revision;
  const committed = await repository.snapshot(commit, signal);
  return isSame(entries, committed.entries) ? commit : revision;
}

/** Both are sorted by path. */
function isSame(some: Snapshot['entries'], others: Snapshot['entries']): boolean {
  return (
    some.length === others.length &&
    some.every(({ path, blob }, at) => path === others[at]?.path && blob === others[at]?.blob)
  );
}

/** Whether the revision goes on from what the agents saw last, as far as this repository knows. */
async function descentOf(
  seen: string,
  { repository, commit }: Read,
  signal: AbortSignal,
): Promise<{ readonly rewound: boolean; readonly notes: readonly string[] }> {
  if (seen === '' || commit === undefined || repository === undefined || seen === commit) {
    return { rewound: false, notes: [] };
  }
  const last = await repository.commitOf(seen, signal);
  if (last === undefined) {
    const note = `the agents saw ${seen.slice(0, 10)} last, which is not fetched here: whether this goes on from it is not known`;
    return { rewound: false, notes: [note] };
  }
  return { rewound: (await repository.baseOf(last, commit, signal)) !== last, notes: [] };
}

import type { CallOutcome, Kind, Rendered } from '../../agent/core/kind.ts';
import type { HeadWriter } from '../../agent/reconcile/lease-ports.ts';
import { AtRest } from '../../agent/reconcile/at-rest.ts';
import type {
  AgentEvent,
  Clock,
  Prober,
  Provider,
  Recorder,
  Reporter,
  Shelf,
} from '../../agent/reconcile/ports.ts';
import { openRecorder } from '../../agent/record/recorder.ts';
import type { Owner } from '../../agent/record/root.ts';
import { FakeShelf } from './shelf.ts';

/** A world of units that are one text each: what runs under which name, and what the calls to it did. */
export class World {
  readonly shelf = new FakeShelf();
  /** The shelf as the last observation found it. */
  seen: Shelf | undefined;
  /** Happens once between an observation and what follows from it. */
  between: (() => void) | undefined;
  readonly running = new Map<string, string>();
  readonly calls: string[] = [];
  observations = 0;
  /** What the next calls answer, one each; then all is well. */
  readonly answers: CallOutcome<{ readonly id: string }>[] = [];
  readonly views: CallOutcome<World>[] = [];
  /** Happens while a call is under way. */
  during: (() => Promise<void>) | undefined;
  /** Calls under way now, and the most there ever were. */
  underWay = 0;
  mostUnderWay = 0;
  /** Texts of which tasks crash. */
  readonly broken = new Set<string>();
  readonly notes: string[] = [];
  blocked: string | undefined;
  /** No task runs yet. */
  unsettled = false;
  /** What runs beside, of other units. */
  others = 0;
}

/** Without a text it is removed. */
export type WorldCall = { readonly name: string; readonly text?: string };

const STOPPED = 'stopped';
/** A unit whose text ends so has a part of this name beside. */
const SIDE = '+side';

export const worldKind: Kind<string, World, WorldCall> = {
  kind: 'stack',
  diff: (unit, world) => ({
    operations: worldKind.makes(unit).flatMap((name) =>
      world.running.get(name) === unit.spec || (name !== unit.id && world.running.has(name))
        ? []
        : [
            {
              target: name,
              verb: world.running.has(name) ? ('update' as const) : ('create' as const),
              phase: 'change' as const,
              effect: 'restart' as const,
              fields: [],
              call: { name, text: unit.spec },
            },
          ],
    ),
    blocked:
      world.blocked === undefined ? [] : [{ target: unit.id, why: world.blocked, waits: true }],
    notes: [...world.notes],
  }),
  baseline: () => [],
  absent: () => [],
  health: ({ id, spec }, world) => {
    const running = world.running.get(id);
    if (running !== undefined && world.broken.has(running)) {
      const failure = { code: 'crashed', why: 'it crashes', evidence: 'exit 1' };
      return { status: 'failing', ...failure, summary: '0/1' };
    }
    return world.unsettled
      ? { status: 'progressing', progress: 0, summary: '0/1' }
      : { status: 'converged', members: spec, summary: '1/1' };
  },
  givenUp: () => undefined,
  resume: () => [],
  times: () => ({ timeoutMs: 60_000, stableForMs: 5_000 }),
  rollback: () => ({ mode: 'auto', keep: 3 }),
  isThere: ({ id }, world) => world.running.has(id),
  release: ({ id }, world) => world.running.get(id) ?? '',
  restore: (id, { digest, content }) =>
    typeof content === 'string' ? { ...worldUnit('', content), id, digest } : undefined,
  parts: ({ id }) => [id],
  stop: (_id, targets, world) =>
    targets
      .filter((target) => world.running.has(target) && world.running.get(target) !== STOPPED)
      .map((target) => ({
        target,
        verb: 'update',
        phase: 'change',
        effect: 'restart',
        fields: [],
        call: { name: target, text: STOPPED },
      })),
  removal: () => ({ hold: false, prune: true }),
  makes: ({ id, spec }) => [id, ...(spec.endsWith(SIDE) ? [`${id}${SIDE}`] : [])],
  members: (id, world) =>
    [id, `${id}${SIDE}`].flatMap((one) =>
      world.running.has(one) ? [{ target: one, id: `id of ${one}` }] : [],
    ),
  remove: (_id, members, world) => {
    const left = members.filter(({ target }) => world.running.has(target));
    const operations = left.map(({ target }) => ({
      target,
      verb: 'remove' as const,
      phase: 'remove' as const,
      effect: 'destructive' as const,
      fields: [],
      call: { name: target },
    }));
    return { operations, left, waits: [] };
  },
  runs: (id, world) => {
    const text = world.running.get(id);
    return text === undefined || text === STOPPED ? undefined : `${id} still runs`;
  },
  users: () => [],
  spares: () => [],
  sizes: ({ running, others }) => ({ units: running.size + others }),
};

/** A world is one object that changes: that it is the same one says nothing. */
export const alwaysDecided = new AtRest<string, World>({ isSame: () => false });

export function worldProvider(world: World): Provider<World, WorldCall> {
  return {
    isSame: () => false,
    observe: async () => {
      world.observations += 1;
      world.seen = world.shelf.look();
      world.between?.();
      world.between = undefined;
      return world.views.shift() ?? { status: 'ok', value: world };
    },
    caller: () => ({
      call: async (call) => {
        world.underWay += 1;
        world.mostUnderWay = Math.max(world.mostUnderWay, world.underWay);
        await new Promise<void>((resolve) => {
          setImmediate(resolve);
        });
        await world.during?.();
        world.underWay -= 1;
        const { name, text } = call;
        world.calls.push(text === undefined ? `remove ${name}` : `${name}=${text}`);
        const answer = world.answers.shift() ?? { status: 'ok', value: { id: name } };
        if (answer.status === 'ok' && text === undefined) world.running.delete(name);
        if (answer.status === 'ok' && text !== undefined) world.running.set(name, text);
        return answer;
      },
    }),
  };
}

export function worldUnit(name: string, text: string): Rendered<string> {
  const place = { file: 'f', line: 1, column: 1, length: 1, quoted: '' };
  return {
    id: `stack/${name}`,
    spec: text,
    digest: text,
    place,
    dependsOn: [],
    needs: [],
    gives: [],
  };
}

/** The real recorder on the world's shelf; `writer` writes the head, by itself where none is given. */
export function worldRecorder(
  world: World,
  clock: Clock,
  writer?: HeadWriter,
  place: Partial<Owner> = {},
): Recorder<World> {
  const keeper = { ...world.shelf.keeper<World>(({ seen }) => seen), ...writer };
  const owner = { environment: 'test', repository: 'ssh://git@host/x', ...place };
  return openRecorder(keeper, { ...owner, clock });
}

/** Nothing is ever asked in this world. */
export const quietProber: Prober = { ask() {}, answers: () => new Map(), close() {} };

/** Every revision descends from every other one. */
export const straightLine = { descends: async (): Promise<boolean> => true };

/** Keeps what was told. */
export function listeningReporter(): Reporter & {
  readonly events: AgentEvent[];
  names(): string[];
} {
  const events: AgentEvent[] = [];
  return {
    events,
    tell: (event) => {
      events.push(event);
    },
    names: () => events.map(({ event }) => event),
  };
}

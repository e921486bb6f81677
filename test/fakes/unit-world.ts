import * as z from 'zod';

import type {
  Failure,
  Health,
  Id,
  Kind,
  Operation,
  Rendered,
  Seen,
} from '../../agent/core/kind.ts';

/** One service as it is wanted. The first word of its text says how it behaves: see `tick` and `call`. */
export type Wanted = { readonly text: string; readonly replicas: number };

/** What a unit of this world asks for. */
export interface UnitSpec {
  readonly services: Readonly<Record<string, Wanted>>;
  readonly mode: 'auto' | 'hold' | 'forward';
  readonly keep: number;
  /** It is asked from outside too, and only a good answer makes it healthy. */
  readonly check: boolean;
  /** It is not removed without a person. */
  readonly hold: boolean;
  readonly prune: boolean;
}

interface Task {
  readonly id: string;
  readonly node: string;
  readonly text: string;
}

interface Service extends Wanted {
  /** Another one when it is made anew. */
  readonly id: string;
  /** Somebody else's by now. */
  readonly foreign: boolean;
  /** What it ran before: the engine may go back to it by itself. */
  readonly before: string | undefined;
  readonly task: string;
  readonly ticks: number;
  readonly ready: boolean;
  readonly failed: readonly Task[];
  /** The engine stopped in the middle, for no failure of the text. */
  readonly paused: boolean;
  /** The engine went back by itself because of this task. */
  readonly gaveUp: string | undefined;
}

/** The whole world of one unit, as plain data: nothing in it changes but by `tick`, `call` and a test's own hand. */
export interface UnitWorld {
  readonly services: Readonly<Record<string, Service>>;
  readonly tasks: number;
  /** A cause outside. */
  readonly outside: string | undefined;
  /** What is needed and not there. */
  readonly blocked: string | undefined;
  readonly away: readonly string[];
  /** What was stopped still runs, or others use something of it. */
  readonly ending?: string;
  readonly users?: readonly string[];
  /** Of what blocks. */
  readonly owner?: Id;
}

export type UnitCall =
  | { readonly op: 'set'; readonly name: string; readonly wanted: Wanted }
  | { readonly op: 'stop'; readonly name: string }
  | { readonly op: 'remove'; readonly name: string; readonly id: string }
  | { readonly op: 'resume'; readonly name: string };

export const emptyWorld: UnitWorld = {
  services: {},
  tasks: 0,
  outside: undefined,
  blocked: undefined,
  away: [],
};

/** Milliseconds. */
export const TIMEOUT_MS = 60_000;
export const STABLE_MS = 10_000;

const NODE = 'n1';
/** So many failures are certain, and so many are remembered. */
const FAILURES_MAX = 2;
const HISTORY_MAX = 5;

/** Pure. Services by name and text, one replica each: `{ web: 'good 1' }`. */
export function unitOf(
  digest: string,
  texts: Readonly<Record<string, string>>,
  rules: Partial<Omit<UnitSpec, 'services'>> = {},
): Rendered<UnitSpec> {
  const entries = Object.entries(texts).map(([name, text]) => [name, { text, replicas: 1 }]);
  const services: Record<string, Wanted> = Object.fromEntries(entries);
  const place = { file: 'f', line: 1, column: 1, length: 1, quoted: '' };
  const usual = { mode: 'auto', keep: 3, check: false, hold: false, prune: true } as const;
  const spec = { services, ...usual, ...rules };
  return { id: 'stack/blog', spec, digest, place, dependsOn: [], needs: [], gives: [] };
}

/** Pure. A world in which these texts run well. */
export function running(texts: Readonly<Record<string, string>>): UnitWorld {
  return Object.entries(texts).reduce(
    (world, [name, text]) => settle(put(world, name, { text, replicas: 1 }), name),
    emptyWorld,
  );
}

function settle(world: UnitWorld, name: string): UnitWorld {
  return change(world, name, { ready: true });
}

/** Pure. One service of the world otherwise. */
export function change(world: UnitWorld, name: string, otherwise: Partial<Service>): UnitWorld {
  const live = world.services[name];
  if (live === undefined) return world;
  return { ...world, services: { ...world.services, [name]: { ...live, ...otherwise } } };
}

/** Pure. Somebody removes a service by hand. */
export function without(world: UnitWorld, name: string): UnitWorld {
  const { [name]: _gone, ...services } = world.services;
  return { ...world, services };
}

/** Pure. A service is told what to run: a new task, nothing known of it yet. */
export function put(world: UnitWorld, name: string, wanted: Wanted): UnitWorld {
  const live = world.services[name];
  const service: Service = {
    ...wanted,
    id: live?.id ?? `id ${String(world.tasks)} of ${name}`,
    foreign: live?.foreign ?? false,
    before: live?.text,
    task: `${name}.${String(world.tasks)}`,
    ticks: 0,
    ready: false,
    failed: live?.failed ?? [],
    paused: false,
    gaveUp: undefined,
  };
  return { ...world, tasks: world.tasks + 1, services: { ...world.services, [name]: service } };
}

function behaviour(text: string): string {
  return text.split(' ')[0] ?? '';
}

/**
 * Pure. A moment passes. `good` runs; `crash` fails for ever; `late` runs first and then fails; `slow` never gets ready;
 * `revert` is given up by the engine, which goes back to what ran before; `pause` and `stubborn` are stopped by the
 * engine half-way, and only the first goes on when it is told to.
 */
export function tick(world: UnitWorld): UnitWorld {
  return Object.keys(world.services).reduce(tickService, world);
}

function tickService(world: UnitWorld, name: string): UnitWorld {
  const live = world.services[name];
  if (live === undefined || live.replicas === 0) return world;
  const aged = change(world, name, { ticks: live.ticks + 1 });
  switch (behaviour(live.text)) {
    case 'crash':
      return crash(aged, name, live);
    case 'late':
      return live.ticks < 2 ? settle(aged, name) : crash(aged, name, live);
    case 'slow':
      return aged;
    case 'revert': {
      if (live.before === undefined) return crash(aged, name, live);
      const back = put(aged, name, { text: live.before, replicas: 1 });
      return change(back, name, { gaveUp: live.task });
    }
    case 'pause':
    case 'stubborn':
      return live.ticks === 0 ? change(aged, name, { paused: true }) : aged;
    default:
      return settle(aged, name);
  }
}

function crash(world: UnitWorld, name: string, { task, text, failed }: Service): UnitWorld {
  const history = [...failed, { id: task, node: NODE, text }].slice(-HISTORY_MAX);
  const next = `${name}.${String(world.tasks)}`;
  const moved = change(world, name, { failed: history, task: next, ready: false });
  return { ...moved, tasks: world.tasks + 1 };
}

/** Pure. A call reaches the engine. `refuse` is refused for good, of `twist` it stores something else. */
export function call(world: UnitWorld, { name, ...todo }: UnitCall): UnitWorld | 'refused' {
  switch (todo.op) {
    case 'set': {
      const { text, replicas } = todo.wanted;
      if (behaviour(text) === 'refuse') return 'refused';
      const stored = behaviour(text) === 'twist' ? `${text}!` : text;
      return put(world, name, { text: stored, replicas });
    }
    case 'stop':
      return change(world, name, { replicas: 0, ready: false, paused: false });
    case 'remove':
      // By its id: one that was made anew is another one.
      return world.services[name]?.id === todo.id ? without(world, name) : world;
    case 'resume': {
      const goesOn = behaviour(world.services[name]?.text ?? '') === 'pause';
      return goesOn ? change(world, name, { paused: false, ready: true }) : world;
    }
  }
}

function operation(
  name: string,
  verb: 'create' | 'update' | 'remove',
  todo: UnitCall,
): Operation<UnitCall> {
  const fields = [{ path: `services.${name}` }];
  return {
    target: `service ${name}`,
    verb,
    phase: verb === 'remove' ? 'remove' : 'change',
    effect: verb === 'remove' ? 'destructive' : 'restart',
    fields,
    call: todo,
  };
}

const Content = z.strictObject({
  services: z.record(z.string(), z.strictObject({ text: z.string(), replicas: z.number() })),
});

const restored = new WeakMap<object, Rendered<UnitSpec>>();

export const unitKind: Kind<UnitSpec, UnitWorld, UnitCall> = {
  kind: 'stack',
  diff: ({ spec }, world) => ({
    operations: Object.entries(spec.services).flatMap(([name, wanted]) => {
      const live = world.services[name];
      if (live?.text === wanted.text && live.replicas === wanted.replicas) return [];
      return operation(name, live ? 'update' : 'create', { op: 'set', name, wanted });
    }),
    blocked:
      world.blocked === undefined
        ? []
        : [
            {
              target: 'x',
              why: world.blocked,
              waits: true,
              ...(world.owner && { owner: world.owner }),
            },
          ],
  }),
  baseline: (_unit, world) =>
    Object.values(world.services).flatMap(({ failed, task, gaveUp }) => [
      ...failed.map(({ id }) => id),
      ...(gaveUp === undefined ? [] : [gaveUp]),
      task,
    ]),
  absent: ({ away }) => away,
  health: (unit, world, seen) => healthOf(unit, world, seen),
  givenUp: ({ spec }, world, { baseline }) => {
    const gone = Object.entries(spec.services).find(([name, { text }]) => {
      const live = world.services[name];
      return live?.gaveUp !== undefined && live.text !== text && !baseline.has(live.gaveUp);
    });
    if (gone === undefined) return undefined;
    const why = `the engine went back: ${gone[0]}`;
    return { status: 'failing', code: 'given-up', why, evidence: 'exit 1', summary: 'gone' };
  },
  resume: ({ spec }, world) =>
    Object.keys(spec.services).flatMap((name) =>
      world.services[name]?.paused === true
        ? operation(name, 'update', { op: 'resume', name })
        : [],
    ),
  times: () => ({ timeoutMs: TIMEOUT_MS, stableForMs: STABLE_MS }),
  rollback: ({ spec: { mode, keep } }) => ({ mode, keep }),
  isThere: ({ spec }, world) => Object.keys(spec.services).some((name) => name in world.services),
  release: ({ spec }, world, parts) => {
    const there = Object.entries(world.services)
      .filter(([name]) => parts === 'all' || name in spec.services)
      .map(([name, { text, replicas }]): [string, Wanted] => [name, { text, replicas }]);
    return { services: Object.fromEntries(there) };
  },
  restore: (id, release) => {
    const known = restored.get(release);
    if (known !== undefined) return known;
    const content = Content.safeParse(release.content);
    if (!content.success) return undefined;
    const { services } = content.data;
    const empty = unitOf(release.digest, {});
    const unit = { ...empty, id, spec: { ...empty.spec, services } };
    restored.set(release, unit);
    return unit;
  },
  parts: ({ spec }) => Object.keys(spec.services).map((name) => `service ${name}`),
  stop: (_id, targets, world) =>
    Object.entries(world.services)
      .filter(([name, { replicas }]) => replicas > 0 && targets.includes(`service ${name}`))
      .map(([name]) => operation(name, 'update', { op: 'stop', name })),
  removal: ({ spec: { hold, prune } }) => ({ hold, prune }),
  makes: ({ spec }) => Object.keys(spec.services).map((name) => `service ${name}`),
  members: (_id, world) =>
    Object.entries(world.services)
      .filter(([, { foreign }]) => !foreign)
      .map(([name, { id }]) => ({ target: `service ${name}`, id })),
  remove: (_id, members, world) => {
    const there = Object.entries(world.services).filter(
      ([, { id, foreign }]) => !foreign && members.some((one) => one.id === id),
    );
    // What is called `last` goes when the others are gone, as a network does.
    const first = there.filter(([name]) => name !== 'last');
    return {
      operations: (first.length > 0 ? first : there).map(([name, { id }]) =>
        operation(name, 'remove', { op: 'remove', name, id }),
      ),
      left: there.map(([name, { id }]) => ({ target: `service ${name}`, id })),
      waits: [],
    };
  },
  runs: (_id, world) => {
    const runs = Object.entries(world.services).find(([, { replicas }]) => replicas > 0);
    return runs === undefined ? world.ending : `tasks of service ${runs[0]} still run`;
  },
  users: (_id, { users = [] }) => users,
  spares: () => [],
  sizes: (world) => ({ services: Object.keys(world.services).length }),
};

/** What the questions of this world's checks are called. */
export const CHECK = 'blog answers';

const healthOf: typeof unitKind.health = ({ spec }, world, { baseline, lost, answers, judged }) => {
  const services = Object.entries(spec.services).filter(([, { replicas }]) => replicas > 0);
  const up = services.filter(([name, { text }]) => {
    const live = world.services[name];
    return live?.text === text && live.ready;
  });
  const { length: wanted } = services;
  const summary = `${String(up.length)}/${String(wanted)}`;
  const asks =
    judged && spec.check
      ? [{ name: CHECK, question: { ask: 'image', image: 'blog', everyMs: 1_000 } } as const]
      : [];
  const failure = services
    .map(([name]) => failureOf(world.services[name], { baseline, lost }))
    .find((one) => one !== undefined);
  if (failure !== undefined) return { status: 'failing', ...failure, summary, asks };
  if (world.outside !== undefined) {
    return { status: 'outside', why: world.outside, summary, asks };
  }
  const answered = asks.every(({ name }) => answers.get(name)?.status === 'good');
  if (up.length < wanted || !answered) {
    return { status: 'progressing', progress: up.length, summary, asks };
  }
  const members = up.map(([name]) => world.services[name]?.task).join(' ');
  const well: Health = { status: 'converged', members, summary, asks };
  return well;
};

/** Failures of another text than the live one, from before, or of a node that went away, are nobody's. */
function failureOf(
  live: Service | undefined,
  { baseline, lost }: Pick<Seen, 'baseline' | 'lost'>,
): Failure | undefined {
  const bad = (live?.failed ?? []).filter(
    ({ id, node, text }) => text === live?.text && !baseline.has(id) && !lost.has(node),
  );
  if (bad.length < FAILURES_MAX) return undefined;
  return { code: 'crashed', why: 'its tasks crash', evidence: 'exit 1' };
}

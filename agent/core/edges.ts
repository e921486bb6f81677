import type { Id, Rendered } from './kind.ts';

/** What of a unit says on which others it depends. */
type Bound = Pick<Rendered<unknown>, 'id' | 'dependsOn' | 'needs' | 'gives'>;

/** The units that each unit depends on itself, not through others; every unit is in it. */
export type Edges = ReadonlyMap<Id, readonly Id[]>;

/** Pure. What each unit names, and who makes what it needs. A unit that does not exist is left out. */
export function edgesOf(units: readonly Bound[]): Edges {
  const ids = new Set(units.map(({ id }) => id));
  const makers = makersOf(units);
  return new Map(
    units.map(({ id, dependsOn, needs }) => {
      const made = needs.flatMap((need) => makers.get(need.toLowerCase()) ?? []);
      return [id, [...new Set([...dependsOn, ...made])].filter((one) => ids.has(one))];
    }),
  );
}

/** Pure. Who makes each thing that others may need: the Swarm takes names that differ only in case for one. */
export function makersOf(units: readonly Bound[]): ReadonlyMap<string, Id> {
  return new Map(
    units.flatMap(({ id, gives }) => gives.map((one) => [one.toLowerCase(), id] as const)),
  );
}

/** Where a walk along the edges stands: a unit, and which of its edges come next. */
interface Stop {
  readonly id: Id;
  next: number;
}

/**
 * Walks along all edges, each once, deepest units first. Nothing here calls itself: a repository may be a chain of any
 * length. `closed`: an edge leads back to a unit of the way that is being walked.
 */
function walk(
  edges: Edges,
  { left, closed }: { left?: (id: Id) => void; closed?: (way: readonly Id[]) => void },
): void {
  const open = new Map<Id, number>();
  const done = new Set<Id>();
  const way: Stop[] = [];
  const enter = (id: Id): void => {
    open.set(id, way.length);
    way.push({ id, next: 0 });
  };
  for (const start of edges.keys()) {
    if (!done.has(start)) enter(start);
    for (let at = way.at(-1); at !== undefined; at = way.at(-1)) {
      const to = edges.get(at.id)?.[at.next];
      at.next += 1;
      if (to === undefined) {
        way.pop();
        open.delete(at.id);
        done.add(at.id);
        left?.(at.id);
      } else if (open.has(to)) {
        closed?.(way.slice(open.get(to)).map(({ id }) => id));
      } else if (!done.has(to)) {
        enter(to);
      }
    }
  }
}

/** Pure. All units, each after those that it depends on; else as they were. */
export function inOrder(edges: Edges): readonly Id[] {
  const order: Id[] = [];
  walk(edges, { left: (id) => order.push(id) });
  return order;
}

/**
 * Pure. The ways that lead back to where they begin, each once and from its first unit by name: `[a, b]` is a -> b -> a.
 * Of those that share their edges at least one is found.
 */
export function cyclesOf(edges: Edges): readonly (readonly Id[])[] {
  const cycles = new Map<string, readonly Id[]>();
  const closed = (way: readonly Id[]): void => {
    const first = way.indexOf(way.reduce((one, other) => (other < one ? other : one)));
    const turned = [...way.slice(first), ...way.slice(0, first)];
    cycles.set(turned.join(' '), turned);
  };
  walk(edges, { closed });
  return [...cycles.values()];
}

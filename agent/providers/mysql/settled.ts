import type { Rendered } from '../../core/kind.ts';
import type { SwarmSecret } from './generated.ts';
import type { ServerSeen } from './observed.ts';
import type { MysqlSpec } from './spec.ts';
import type { Diff } from './unit-parts.ts';

/** All that the difference of a unit is worked out from. */
interface Grounds {
  readonly unit: Rendered<MysqlSpec>;
  /** The same object as long as nothing on the server changed. */
  readonly seen: ServerSeen;
  /** Secrets of the Swarm that were made for it. */
  readonly own: readonly SwarmSecret[];
}

interface Found {
  readonly seen: ServerSeen;
  readonly own: string;
  readonly difference: Diff;
}

/** Remembers of units that nothing separates them from what is there, as long as everything is as it was. */
export class Settled {
  readonly #found = new WeakMap<Rendered<MysqlSpec>, Found>();

  of({ unit, seen, own }: Grounds, work: () => Diff): Diff {
    const found = this.#found.get(unit);
    const labelled = JSON.stringify(own.map(({ name, labels }) => [name, labels]));
    if (found?.seen === seen && found.own === labelled) return found.difference;
    const difference = work();
    const { operations, blocked, later = [] } = difference;
    if (operations.length + blocked.length + later.length === 0) {
      this.#found.set(unit, { seen, own: labelled, difference });
    }
    return difference;
  }
}

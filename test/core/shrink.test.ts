import { describe, expect, it } from 'vitest';

import type { Approval } from '../../agent/core/approve.ts';
import { unlookedKind } from '../../agent/core/data-kind.ts';
import type { Id, Kind, Rendered } from '../../agent/core/kind.ts';
import { defaultRemovals } from '../../agent/core/removal.ts';
import { step } from '../../agent/core/step.ts';
import type { Request, UnitRecord } from '../../agent/core/unit.ts';
import type { Watch } from '../../agent/core/watch.ts';

// A thing of so many copies, some of which are stored: fewer of them are given up for good.

interface World {
  readonly copies: number;
  readonly bytes: number;
}

const ID: Id = 'ceph-pool/rep';

const kind: Kind<number, World, number> = {
  ...unlookedKind<number, number>({
    kind: 'box',
    release: ({ spec }) => spec,
    restore: () => undefined,
    parts: () => ['pool rep'],
  }),
  diff: ({ spec }, { copies, bytes }) => {
    if (spec === copies) return { operations: [], blocked: [] };
    const operation = {
      target: 'pool rep',
      verb: 'update' as const,
      phase: 'change' as const,
      effect: 'none' as const,
      fields: [{ path: 'size', observed: String(copies), desired: String(spec) }],
      call: spec,
    };
    const shrink = { what: `size ${copies} -> ${spec}`, why: `gives up copies of ${bytes} B` };
    return { operations: [operation], blocked: [], ...(spec < copies && { shrinks: [shrink] }) };
  },
};

const unitOf = (copies: number): Rendered<number> => ({
  id: ID,
  spec: copies,
  digest: `d${String(copies)}`,
  place: { file: 'ceph/x.yaml', line: 1, column: 1, length: 1, quoted: '' },
  dependsOn: [],
  needs: [],
  gives: [],
});

/** Passes over one world, each of which remembers what the one before left. */
class Passes {
  world: World = { copies: 3, bytes: 4 };
  units: ReadonlyMap<Id, UnitRecord> = new Map();
  watches: ReadonlyMap<Id, Watch> = new Map();
  approved: readonly Approval[] = [];
  #nowMs = 0;

  look(copies: number, requests: readonly Request[] = []) {
    this.#nowMs += 60_000;
    const stepped = step({
      kind,
      desired: [unitOf(copies)],
      revision: 'r',
      observed: this.world,
      units: this.units,
      watches: this.watches,
      approved: this.approved,
      requests,
      removals: { policy: defaultRemovals, rewound: false },
      refusals: new Map(),
      answers: new Map(),
      nowMs: this.#nowMs,
      date: '2026-01-01T00:00:00Z',
      intervalMs: 60_000,
      verifyMs: 1_000,
    });
    this.units = stepped.units;
    this.watches = stepped.watches;
    this.approved = stepped.approved;
    return stepped;
  }

  /** What is due is carried out. */
  act(copies: number, requests: readonly Request[] = []) {
    const stepped = this.look(copies, requests);
    const [call] = stepped.work.flatMap(({ operations }) => operations.map((one) => one.call));
    if (call !== undefined) this.world = { ...this.world, copies: call };
    return stepped;
  }

  held(copies: number): string {
    return this.look(copies).views[0]?.held ?? '';
  }

  digest(copies: number): string {
    return /understudy approve ([0-9a-f]{12})/.exec(this.held(copies))?.[1] ?? '';
  }
}

/** In place, and at rest. */
function settled(): Passes {
  const passes = new Passes();
  for (let pass = 0; pass < 3; pass += 1) passes.act(3);
  return passes;
}

const approve = (digest: string): readonly Request[] => [{ verb: 'approve', digest, by: 'ana' }];

describe('what would be given up for good', () => {
  it('is held, and says what it is and how it is released', () => {
    const passes = settled();
    for (let pass = 0; pass < 3; pass += 1) {
      expect(passes.act(2).work).toEqual([]);
      expect(passes.held(2)).toMatch(
        /^pool rep: size 3 -> 2 gives up copies of 4 B; approve with `understudy approve [0-9a-f]{12}`$/,
      );
    }
    expect(passes.world.copies).toBe(3);
  });

  it('is done when a person released it, once', () => {
    const passes = settled();
    expect(passes.act(2, approve(passes.digest(2)))).toMatchObject({ work: [], wakeMs: 0 });
    passes.act(2);
    expect(passes.world.copies).toBe(2);
    for (let pass = 0; pass < 3; pass += 1) passes.act(2);
    expect(passes.approved).toMatchObject([{ by: 'ana', spent: true }]);
    // Somebody adds a copy by hand: nobody gives that up on his own.
    passes.world = { ...passes.world, copies: 3 };
    expect(passes.act(2).work).toEqual([]);
    expect(passes.held(2)).toContain('size 3 -> 2');
  });

  it('stays released while its call does not go well, and while other numbers change', () => {
    const passes = settled();
    passes.look(2, approve(passes.digest(2)));
    for (let pass = 0; pass < 3; pass += 1) {
      passes.world = { ...passes.world, bytes: passes.world.bytes + 1 };
      expect(passes.look(2).work).toHaveLength(1);
    }
    passes.act(2);
    expect(passes.world.copies).toBe(2);
  });

  it('is not released by what was released for something else', () => {
    const passes = settled();
    passes.look(2, approve(passes.digest(2)));
    expect(passes.look(1).work).toEqual([]);
    expect(passes.held(1)).toContain('size 3 -> 1');
    expect(passes.look(1, approve('0123456789ab')).unapproved).toHaveLength(1);
  });

  it('is nothing of what grows', () => {
    const passes = settled();
    passes.act(4);
    expect(passes.world.copies).toBe(4);
  });
});

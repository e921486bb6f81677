import * as fc from 'fast-check';

import type { CallOutcome, Id, Json } from '../../agent/core/kind.ts';
import type { UnitRecord } from '../../agent/core/unit.ts';
import type { Known, Loaded, Recorder, Shelf } from '../../agent/reconcile/ports.ts';
import { packBlob } from '../../agent/record/blob.ts';
import { openRecorder, type RecorderOptions } from '../../agent/record/recorder.ts';
import { VirtualClock } from '../fakes/clock.ts';
import type { FakeShelf } from '../fakes/shelf.ts';

export const { signal } = new AbortController();

export const owner = { environment: 'production', repository: 'ssh://git@example.org/infra.git' };

export const history = { seen: '', settled: '', revisions: [] };

export type ShelfRecorder = Recorder<Shelf | undefined>;

/** A recorder as another process would open it. */
export function open(shelf: FakeShelf, options: Partial<RecorderOptions> = {}): ShelfRecorder {
  const keeper = shelf.keeper<Shelf | undefined>((observed) => observed);
  return openRecorder(keeper, { ...owner, clock: new VirtualClock(), ...options });
}

export function value<Value>(outcome: CallOutcome<Value>): Value {
  if (outcome.status !== 'ok') throw new Error(`${outcome.status}: ${outcome.why}`);
  return outcome.value;
}

/** Load and save in one go, as a pass does. */
export async function save(
  recorder: ShelfRecorder,
  shelf: FakeShelf,
  change: (loaded: Loaded) => Partial<Known>,
): Promise<CallOutcome<{ readonly notes: readonly string[] }>> {
  const observed = shelf.look();
  const loaded = value(recorder.load(observed));
  const { units, history } = loaded;
  return recorder.save(observed, loaded, { units, history, ...change(loaded) }, signal);
}

/** These units beside, or instead of, those that are known. */
export function withUnits(...units: readonly (readonly [Id, UnitRecord])[]) {
  return (known: Known): Pick<Known, 'units'> => ({ units: new Map([...known.units, ...units]) });
}

export function unitAt(
  text: string,
  releases: readonly Json[] = [],
): UnitRecord & { readonly phase: 'none' } {
  return {
    phase: 'none',
    quarantine: [],
    made: [text],
    releases: releases.map((content, index) => {
      return { digest: `${text}${index}`, revision: 'c0ffee', at: '2026-01-01T00:00:00Z', content };
    }),
  };
}

/** What a fresh process finds. */
export function reload(shelf: FakeShelf): Known {
  const { units, history } = value(open(shelf).load(shelf.look()));
  return { units, history };
}

/** Puts any content on the shelf, as another version would; gives its name. */
export function shelve(shelf: FakeShelf, letter: 'r' | 'b', content: unknown): string {
  const { name, data } = packBlob(letter, content);
  shelf.blobs.set(name, { id: `planted-${name}`, data });
  return name;
}

export function pointAt(shelf: FakeShelf, root: string): void {
  shelf.relabel({ 'understudy.record': JSON.stringify({ root }) });
}

const text = fc.string({ unit: 'binary', maxLength: 12 });
const failure = { code: text, why: text, evidence: text };
const attempt = fc.record({
  digest: text,
  revision: text,
  baseline: fc.array(text, { maxLength: 3 }),
  absent: fc.array(text, { maxLength: 2 }),
});
const members = fc.array(fc.record({ target: text, id: text }), { maxLength: 3 });
const lasting = {
  quarantine: fc.array(fc.record({ ...failure, digest: text, revision: text, at: text }), {
    maxLength: 3,
  }),
  made: fc.array(text, { maxLength: 3 }),
  removal: fc.constant('hold' as const),
  rewound: fc.constant(true as const),
  movedFrom: fc.constant('stack/old' as const),
  movedTo: fc.constant('stack/new' as const),
  removing: members,
  releases: fc.array(
    fc.record({
      digest: text,
      revision: text,
      at: text,
      content: fc.jsonValue().map((json): Json => JSON.parse(JSON.stringify(json))),
    }),
    { maxLength: 3 },
  ),
};

/** What an agent of the version before did not write may be missing. */
function optional<Key extends string>(...own: readonly Key[]) {
  return { requiredKeys: [...own, 'quarantine' as const, 'made' as const, 'releases' as const] };
}

export const anyUnit: fc.Arbitrary<UnitRecord> = fc.oneof(
  fc.record({ phase: fc.constant('none' as const), ...lasting }, optional('phase')),
  fc.record({ phase: fc.constant('removing' as const), ...lasting }, optional('phase', 'removing')),
  fc.record(
    {
      phase: fc.constantFrom(
        'applying' as const,
        'verifying' as const,
        'rolling-back' as const,
        'reverting' as const,
      ),
      attempt,
      ...lasting,
    },
    optional('phase', 'attempt'),
  ),
  fc.record(
    {
      phase: fc.constant('stuck' as const),
      stuck: fc.record({ ...failure, digest: text, at: text }),
      ...lasting,
    },
    optional('phase', 'stuck'),
  ),
);

export const anyId: fc.Arbitrary<Id> = fc
  .tuple(fc.constantFrom('stack', 'mysql-user'), fc.stringMatching(/^[a-zA-Z0-9][\w.-]{0,15}$/))
  .map(([kind, name]): Id => `${kind}/${name}`);

const approval = fc.record(
  { digest: text, by: text, spent: fc.constant(true as const) },
  { requiredKeys: ['digest', 'by'] },
);

export const anyKnown: fc.Arbitrary<Known> = fc.record({
  units: fc.array(fc.tuple(anyId, anyUnit), { maxLength: 12 }).map((all) => new Map(all)),
  history: fc.record(
    {
      seen: text,
      settled: text,
      rewound: text,
      overLimit: fc.constant(true as const),
      removals: fc.record({ max: fc.nat(), share: fc.nat(100) }),
      approved: fc.array(approval, { minLength: 1, maxLength: 3 }),
      revisions: fc.array(
        fc.record(
          {
            commit: text,
            outcome: fc.constantFrom('healthy' as const, 'failed' as const, 'rolled-back' as const),
            units: fc.nat(),
            failed: fc.array(anyId, { maxLength: 2 }),
            quarantined: fc.array(anyId, { maxLength: 2 }),
            waiting: fc.array(fc.record({ id: anyId, digest: text }), { maxLength: 2 }),
            at: text,
          },
          { requiredKeys: ['commit', 'outcome', 'units', 'failed', 'quarantined', 'at'] },
        ),
        { maxLength: 4 },
      ),
    },
    { requiredKeys: ['seen', 'settled', 'revisions'] },
  ),
});

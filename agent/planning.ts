import { randomBytes } from 'node:crypto';

import { withPasswords } from './account-secrets.ts';
import { comparedKinds } from './compare-documents.ts';
import type { Looked, PlanIo, Sight, Units } from './cli/plan-ports.ts';
import type { Output } from './cli/printer.ts';
import { systemClock } from './clock.ts';
import { frozenLine } from './core/freeze.ts';
import type { CallOutcome } from './core/kind.ts';
import { comparePlan, type Plan } from './core/plan.ts';
import { planNow } from './core/plan-now.ts';
import { defaultRemovals, stricter } from './core/removal.ts';
import { Secret } from './core/secret.ts';
import { step } from './core/step.ts';
import { lookAtServers, noServers, type PlannedPlaces } from './planning-servers.ts';
import { asObserved, withoutNeeds } from './providers/stack/as-observed.ts';
import { openSwarm } from './providers/stack/client.ts';
import { withNamedValues } from './providers/stack/given-values.ts';
import { indexState, type StackObserved } from './providers/stack/observed.ts';
import { plannedStacks } from './providers/stack/provider.ts';
import { shelfIn } from './providers/stack/shelf.ts';
import { isStage } from './providers/stack/stage.ts';
import type { Swarm } from './providers/stack/swarm.ts';
import { changeRules } from './reconcile/pass.ts';
import type { Clock } from './reconcile/ports.ts';
import { readFreeze } from './record/freeze.ts';
import { HEAD_NAME, parseHead } from './record/head.ts';
import { type OwnedRecord, readRecord } from './record/read.ts';
import { SubvolumePaths } from './subvolume-paths.ts';
import { isOnCluster, isOnServer, isStack, unitKind } from './unit-kind.ts';
import { withClusters } from './unit-provider.ts';
import { unitWords } from './unit-words.ts';

const KEY_BYTES = 32;
/** As a pass has it. */
const VERIFY_MS = 1_000;

/** What the command `plan` takes from this machine. */
export function planIo(
  output: Output,
  environment: Readonly<Record<string, string | undefined>>,
  progress: boolean,
): PlanIo {
  return {
    ...output,
    clock: systemClock,
    environment,
    progress,
    compare: compareUnits,
    openSight: ({ socket, settings, apply }) =>
      sightOn(openSwarm({ socket }, systemClock), systemClock, async (signal) =>
        apply === true && settings === undefined
          ? noServers()
          : lookAtServers(settings, systemClock, signal),
      ),
  };
}

/** Compares two revisions under a key that nobody knows and that is gone afterwards. */
export function compareUnits(environment: string, before: Units, after: Units): Plan {
  const key = new Secret(randomBytes(KEY_BYTES).toString('base64'));
  const onServers = new Map(before.filter(isOnServer).map((unit) => [unit.id, unit]));
  const onClusters = new Map(before.filter(isOnCluster).map((unit) => [unit.id, unit]));
  return comparePlan(unitKind(comparedKinds), unitWords, {
    environment,
    before,
    after: after.map((unit) => (isStack(unit) ? withoutNeeds(withNamedValues(unit)) : unit)),
    observed: {
      ...asObserved(before.filter(isStack).map(withNamedValues), key),
      onServers,
      onClusters,
    },
  });
}

/** The Swarm for one who plans: of `swarm` nothing is used but what reads. Closing it closes `swarm`. */
export function sightOn(
  swarm: Pick<Swarm, 'observe'> & { close(): void },
  clock: Clock,
  lookThere: (signal: AbortSignal) => ReturnType<typeof lookAtServers>,
): Sight {
  return {
    look: async (signal) => {
      const [read, servers] = await Promise.all([swarm.observe(signal), lookThere(signal)]);
      if (read.status !== 'ok') return read;
      if ('wrong' in servers) return { status: 'refused', why: servers.wrong, retry: 'never' };
      const state = read.value;
      const head = parseHead(state.configs.find(({ name }) => name === HEAD_NAME)?.data);
      if (head.status === 'damaged') return { status: 'refused', why: head.why, retry: 'never' };
      // Without a head the first agent makes one with a key of its own: what it would call contents is not known yet.
      const key =
        head.status === 'there'
          ? head.digestKey
          : new Secret(randomBytes(KEY_BYTES).toString('base64'));
      const observed = indexState(state, key);
      const record = readRecord(shelfIn(observed, HEAD_NAME));
      return record.status === 'ok'
        ? ok(lookedAt({ observed, servers, record: record.value }, clock))
        : record;
    },
    close: () => swarm.close(),
  };
}

function ok<Value>(value: Value): CallOutcome<Value> {
  return { status: 'ok', value };
}

interface Read {
  readonly observed: StackObserved;
  readonly servers: PlannedPlaces;
  readonly record: OwnedRecord;
}

function lookedAt({ observed: swarm, servers: places, record }: Read, clock: Clock): Looked {
  const seen = withPasswords(swarm, places.sights);
  const { units, requests, history, incomplete, owner } = record;
  const labels = shelfIn(swarm, HEAD_NAME)?.head.labels ?? {};
  const freeze = readFreeze(labels, clock.date());
  const off = incomplete === true ? 'a part of the record cannot be read' : undefined;
  return {
    environment: owner?.environment,
    seen: history.seen,
    isStage: isStage(swarm.state.nodes),
    ...(places.why !== undefined && { unseen: places.why }),
    compareAhead: (unit) => {
      if (isStack(unit)) plannedStacks.diff(unit, seen, units.get(unit.id)?.made);
    },
    plan: async ({ environment, units: desired, settings, revision, rewound, notes }, signal) => {
      const ids = desired.filter(isOnCluster).map(({ id }) => id);
      const clusters = ids.length === 0 ? new Map() : await places.lookAtClusters(ids, signal);
      const { owner: signs } = places;
      const ceph = { clusters, owner: signs, dataMovement: settings.dataMovement ?? 'healthy' };
      const observed = withClusters(seen, ceph, new SubvolumePaths());
      const kinds = places.kinds;
      const stepped = step({
        kind: unitKind({ ...kinds, stacks: plannedStacks }),
        desired,
        revision,
        observed,
        units,
        requests,
        ...(freeze && { frozen: frozenLine(freeze) }),
        approved: history.approved ?? [],
        ...changeRules(settings, clock),
        removals: {
          policy: stricter(history.removals ?? defaultRemovals, settings.removals),
          rewound: rewound || history.rewound !== undefined,
          overLimit: history.overLimit === true,
          ...(off !== undefined && { off }),
        },
        watches: new Map(),
        refusals: new Map(),
        answers: new Map(),
        nowMs: clock.nowMs(),
        date: clock.date(),
        intervalMs: settings.intervalMs,
        verifyMs: VERIFY_MS,
      });
      const frozen = freeze === undefined ? [] : [frozenLine(freeze)];
      const said = [...record.notes, ...frozen, ...notes];
      const now = { environment, desired, observed, units, notes: said };
      return planNow(unitKind(kinds), unitWords, stepped, now);
    },
  };
}

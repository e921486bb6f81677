import { randomBytes } from 'node:crypto';

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
import { asObserved, withoutNeeds } from './providers/stack/as-observed.ts';
import { openSwarm } from './providers/stack/client.ts';
import { indexState, type StackObserved } from './providers/stack/observed.ts';
import { stackWords } from './providers/stack/plan-words.ts';
import { plannedStacks, stackKind } from './providers/stack/provider.ts';
import { shelfIn } from './providers/stack/shelf.ts';
import { isStage } from './providers/stack/stage.ts';
import type { Swarm } from './providers/stack/swarm.ts';
import { changeRules } from './reconcile/pass.ts';
import type { Clock } from './reconcile/ports.ts';
import { readFreeze } from './record/freeze.ts';
import { HEAD_NAME, parseHead } from './record/head.ts';
import { type OwnedRecord, readRecord } from './record/read.ts';

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
    compare: compareStacks,
    openSight: (socket) => sightOn(openSwarm({ socket }, systemClock), systemClock),
  };
}

/** Compares two revisions' stacks under a key that nobody knows and that is gone afterwards. */
export function compareStacks(environment: string, before: Units, after: Units): Plan {
  return comparePlan(stackKind, stackWords, {
    environment,
    before,
    after: after.map(withoutNeeds),
    observed: asObserved(before, new Secret(randomBytes(KEY_BYTES).toString('base64'))),
  });
}

/** The Swarm for one who plans: of `swarm` nothing is used but what reads. Closing it closes `swarm`. */
export function sightOn(swarm: Pick<Swarm, 'observe'> & { close(): void }, clock: Clock): Sight {
  return {
    look: async (signal) => {
      const read = await swarm.observe(signal);
      if (read.status !== 'ok') return read;
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
      return record.status === 'ok' ? ok(lookedAt(observed, record.value, clock)) : record;
    },
    close: () => swarm.close(),
  };
}

function ok<Value>(value: Value): CallOutcome<Value> {
  return { status: 'ok', value };
}

function lookedAt(observed: StackObserved, record: OwnedRecord, clock: Clock): Looked {
  const { units, requests, history, incomplete, owner } = record;
  const labels = shelfIn(observed, HEAD_NAME)?.head.labels ?? {};
  const freeze = readFreeze(labels, clock.date());
  const off = incomplete === true ? 'a part of the record cannot be read' : undefined;
  return {
    environment: owner?.environment,
    seen: history.seen,
    isStage: isStage(observed.state.nodes),
    plan: ({ environment, units: desired, settings, revision, rewound, notes }) => {
      const stepped = step({
        kind: plannedStacks,
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
      return planNow(stackKind, stackWords, stepped, now);
    },
  };
}

import { z } from 'zod';

import { canonicalJson } from '../core/digest.ts';
import type { History } from '../reconcile/history.ts';
import { BUCKETS } from './bucket.ts';
import { type Parsed, parseVersioned, SCHEMA, UnitId } from './shapes.ts';

const REVISIONS_MAX = 50;

const Revision = z.looseObject({
  commit: z.string(),
  outcome: z.enum(['healthy', 'failed', 'rolled-back', 'superseded']),
  units: z.int().min(0),
  failed: z.array(UnitId),
  quarantined: z.array(UnitId).default([]),
  waiting: z.exactOptional(z.array(z.looseObject({ id: UnitId, digest: z.string() }))),
  suspended: z.exactOptional(z.array(UnitId)),
  held: z.exactOptional(z.int().min(1)),
  at: z.string(),
});

const Approved = z.looseObject({
  digest: z.string(),
  by: z.string(),
  spent: z.exactOptional(z.literal(true)),
});

const Standing = z.looseObject({
  id: UnitId,
  sync: z.enum(['in-sync', 'out-of-sync', 'quarantined']),
  why: z.string(),
  suspended: z.exactOptional(z.literal(true)),
});

const Answered = { nonce: z.string(), by: z.string() };
const Looked = z.discriminatedUnion('status', [
  z.looseObject({ ...Answered, status: z.enum(['valid', 'invalid']), revision: z.string() }),
  z.looseObject({ ...Answered, status: z.literal('unreadable'), why: z.string() }),
]);

const RootContent = z.looseObject({
  schema: z.literal(SCHEMA),
  environment: z.string(),
  /** Without credentials. */
  repository: z.string(),
  /** Of the repository; an earlier version did not say. */
  branch: z.exactOptional(z.string()),
  path: z.exactOptional(z.string()),
  seen: z.string(),
  settled: z.string(),
  approved: z.array(Approved),
  rewound: z.exactOptional(z.string()),
  overLimit: z.exactOptional(z.literal(true)),
  removals: z.exactOptional(z.looseObject({ max: z.int().min(0), share: z.number().min(0) })),
  standing: z.exactOptional(z.array(Standing)),
  looked: z.exactOptional(z.array(Looked)),
  revisions: z.array(Revision).max(REVISIONS_MAX),
  /** Names of the blobs, empty for a bucket without units. */
  buckets: z.array(z.string().regex(/^(?:understudy\.b\.[0-9a-f]{40})?$/)).length(BUCKETS),
});

/** What the record says beside the units, and where these are. */
export type Root = z.infer<typeof RootContent>;

/** Whose record it is. */
export interface Owner {
  readonly environment: string;
  /** Its address without credentials. */
  readonly repository: string;
  /** Absent where nobody asks. */
  readonly branch?: string;
  readonly path?: string;
}

/** Nothing was seen yet. */
export const noHistory: History = { seen: '', settled: '', revisions: [] };

/** Pure. */
export function parseRoot(json: unknown): Parsed<Root> {
  return parseVersioned(json, RootContent);
}

/** Pure. The part of a root that the flow works with. */
export function historyOf(root: Root): History {
  const { seen, settled, revisions, approved, rewound, overLimit, removals, standing, looked } =
    root;
  return {
    seen,
    settled,
    revisions,
    ...(approved.length > 0 && { approved }),
    ...(rewound !== undefined && { rewound }),
    ...(overLimit !== undefined && { overLimit }),
    ...(removals !== undefined && { removals }),
    ...(standing !== undefined && { standing }),
    ...(looked !== undefined && { looked }),
  };
}

/** Pure. Whether it is of the repository, branch and folder of this owner, as far as it says. */
export function isOf(root: Root, { repository, branch, path }: Owner): boolean {
  return root.repository === repository && agrees(root.branch, branch) && agrees(root.path, path);
}

function agrees(was: string | undefined, is: string | undefined): boolean {
  return was === undefined || is === undefined || was === is;
}

/** Pure. As much of it as is kept. */
export function cutHistory(history: History): History {
  const { revisions } = history;
  if (revisions.length <= REVISIONS_MAX) return history;
  return { ...history, revisions: revisions.slice(0, REVISIONS_MAX) };
}

/** Pure. */
export function sameHistory(a: History, b: History): boolean {
  return a === b || canonicalJson(a) === canonicalJson(b);
}

/** What the history says each time: what it does not say any more is gone. */
function withoutHistory(root: Root | undefined): Partial<Root> {
  if (root === undefined) return {};
  const { rewound: _rewound, overLimit: _over, removals: _removals, ...rest } = root;
  const { standing: _standing, looked: _looked, ...kept } = rest;
  return kept;
}

/** Pure. The root after `before`, of which everything that this version does not know is kept. */
export function nextRoot(
  before: Root | undefined,
  owner: Owner,
  history: History,
  buckets: readonly string[],
): Root {
  const { environment, repository, branch, path } = owner;
  const { seen, settled, approved = [], rewound, overLimit, removals, standing, looked } = history;
  const kept = withoutHistory(before);
  const revisions = history.revisions.map(({ waiting, suspended, ...one }) => ({
    ...one,
    failed: [...one.failed],
    quarantined: [...one.quarantined],
    ...(waiting && { waiting: waiting.map((unit) => ({ ...unit })) }),
    ...(suspended && { suspended: [...suspended] }),
  }));
  return {
    ...kept,
    schema: SCHEMA,
    environment,
    repository,
    ...(branch !== undefined && { branch }),
    ...(path !== undefined && { path }),
    seen,
    settled,
    approved: approved.map((one) => ({ ...one })),
    ...(rewound !== undefined && { rewound }),
    ...(overLimit !== undefined && { overLimit }),
    ...(removals !== undefined && { removals: { ...removals } }),
    ...(standing && { standing: standing.map((one) => ({ ...one })) }),
    ...(looked && { looked: looked.map((one) => ({ ...one })) }),
    revisions,
    buckets: [...buckets],
  };
}

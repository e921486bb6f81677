import { z } from 'zod';

import type { Json } from '../core/kind.ts';
import type { UnitRecord } from '../core/unit.ts';
import { UnitId } from './shapes.ts';

// Loose, so that what a later version adds to a unit survives an agent that does not know it.

const Failure = { code: z.string(), why: z.string(), evidence: z.string() };

const Attempt = z.looseObject({
  digest: z.string(),
  revision: z.string(),
  baseline: z.array(z.string()),
  absent: z.array(z.string()),
});

const Quarantined = z.looseObject({
  ...Failure,
  digest: z.string(),
  revision: z.string(),
  at: z.string(),
});

const Stuck = z.looseObject({ ...Failure, digest: z.string(), at: z.string() });

const Release = z.looseObject({
  digest: z.string(),
  revision: z.string(),
  at: z.string(),
  /** The kind reads it. It comes from JSON, so any value is JSON. */
  content: z.custom<Json>((value) => value !== undefined),
  unproven: z.exactOptional(z.literal(true)),
});

const Suspended = z.looseObject({ by: z.string(), at: z.string() });

const Member = z.looseObject({ target: z.string(), id: z.string() });

const UNDER_WAY = new Set(['applying', 'verifying', 'rolling-back', 'reverting']);

/** A unit as the record holds it: an attempt exactly while one is under way, `stuck` exactly in that phase, what goes while it goes. */
export const Unit: z.ZodType<UnitRecord> = z
  .looseObject({
    phase: z.enum([
      'none',
      'applying',
      'verifying',
      'rolling-back',
      'reverting',
      'stuck',
      'removing',
    ]),
    attempt: z.exactOptional(Attempt),
    quarantine: z.array(Quarantined),
    stuck: z.exactOptional(Stuck),
    suspended: z.exactOptional(Suspended),
    made: z.array(z.string()),
    releases: z.array(Release),
    removing: z.exactOptional(z.array(Member)),
    rewound: z.exactOptional(z.literal(true)),
    movedFrom: z.exactOptional(UnitId),
    movedTo: z.exactOptional(UnitId),
    removal: z.exactOptional(z.literal('hold')),
  })
  .refine(({ phase, attempt }) => (attempt !== undefined) === UNDER_WAY.has(phase))
  .refine(({ phase, stuck }) => (stuck !== undefined) === (phase === 'stuck'))
  .refine(({ phase, removing }) => phase !== 'removing' || removing !== undefined);

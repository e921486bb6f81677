import { z } from 'zod';

import { readJson } from '../core/json.ts';
import type { Lease } from '../core/lease.ts';
import type { Labels } from '../reconcile/lease-ports.ts';

/** The label of the head that says who may act. */
const LEASE_LABEL = 'understudy.lease';

/** The schema of the lease that this version writes. */
const SCHEMA = 1;

const Versioned = z.looseObject({ schema: z.int().min(1) });

// Loose: what a later version of the same schema adds is not lost on whoever only reads it.
const LeaseText = z.looseObject({
  holder: z.string().max(400),
  node: z.string().max(255),
  nonce: z.string().min(16).max(100),
  term: z.int().min(1),
  seq: z.int().min(0),
  ttlMs: z.number().min(0).max(600_000),
  version: z.string().max(100),
  schema: z.int(),
});

/** What the label says. */
export type LeaseRead =
  | { readonly status: 'none' }
  | { readonly status: 'damaged'; readonly text: string }
  | { readonly status: 'newer'; readonly schema: number }
  | { readonly status: 'there'; readonly lease: Lease };

/** Pure. */
export function readLease(labels: Labels): LeaseRead {
  const text = labels[LEASE_LABEL];
  if (text === undefined) return { status: 'none' };
  const json = readJson(text);
  const versioned = Versioned.safeParse(json);
  if (versioned.success && versioned.data.schema > SCHEMA) {
    return { status: 'newer', schema: versioned.data.schema };
  }
  const parsed = LeaseText.safeParse(json);
  return parsed.success ? { status: 'there', lease: parsed.data } : { status: 'damaged', text };
}

/** Pure. The labels with this lease; what else they say is kept. */
export function withLease(labels: Labels, lease: Omit<Lease, 'schema'>): Labels {
  return { ...labels, [LEASE_LABEL]: JSON.stringify({ ...lease, schema: SCHEMA }) };
}

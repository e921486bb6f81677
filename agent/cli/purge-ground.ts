import { resolve } from 'node:path';

import { frozenLine } from '../core/freeze.ts';
import type { Id } from '../core/kind.ts';
import type { PurgeGround } from '../core/purge.ts';
import { readFreeze } from '../record/freeze.ts';
import { readRecord } from '../record/read.ts';
import { SourceError } from '../reconcile/ports.ts';
import { isFolder, readFolder } from '../source/folder.ts';
import { inWords } from './ask-put.ts';
import type { PurgeWanted } from './purge-options.ts';
import type { PurgeIo } from './purge-ports.ts';
import { openPatientRenderer, renderAll, usualLimits } from './rendered.ts';

/** What is known, with where it is from, for people; or why it is not. */
export type GroundRead =
  | { readonly status: 'read'; readonly ground: PurgeGround; readonly from: readonly string[] }
  | { readonly status: 'unread'; readonly code: 1 | 2 | 3 | 6; readonly why: string };

type Wanted = Pick<PurgeWanted, 'repository' | 'environment' | 'socket'>;

/**
 * What the repository has: by the record of the agents that follow it, and by a folder where one is given. One of the two must be
 * readable. Rejects with the signal's reason.
 */
export async function readGround(
  wanted: Wanted,
  io: Pick<PurgeIo, 'openSight' | 'clock'>,
  signal: AbortSignal,
): Promise<GroundRead> {
  const record = await byRecord(wanted, io, signal);
  if (wanted.repository === undefined) return record;
  // A record that is there and says no is no reason to go on without it.
  if (record.status === 'unread' && record.code !== 6) return record;
  const recorded = record.status === 'read' ? record.ground.environment : undefined;
  const environment = recorded ?? wanted.environment;
  if (environment === undefined) {
    const why = record.status === 'unread' ? record.why : '';
    return unread(2, `${why}; with \`--repository\` alone name the \`--environment\`, too`);
  }
  const folder = await byFolder(wanted.repository, environment, io, signal);
  if (folder.status === 'unread' || record.status === 'unread') return folder;
  const units = record.ground.units.union(folder.ground.units);
  return { status: 'read', ground: { units, environment }, from: [...record.from, ...folder.from] };
}

async function byRecord(
  { socket, environment: named }: Wanted,
  io: Pick<PurgeIo, 'openSight' | 'clock'>,
  signal: AbortSignal,
): Promise<GroundRead> {
  const desk = io.openSight(socket);
  try {
    const sight = await desk.sight(signal);
    if (sight.status !== 'ok') return unread(6, inWords(sight, socket));
    const { shelf } = sight.value;
    if (shelf === undefined) {
      return unread(6, 'no agent has run on this Swarm yet: there is no config `understudy.head`');
    }
    // Nothing is to be called anywhere then; and no agent notes what comes back.
    const freeze = readFreeze(shelf.head.labels, io.clock.date());
    if (freeze !== undefined) return unread(1, frozenLine(freeze));
    const record = readRecord(shelf);
    if (record.status !== 'ok') return unread(1, record.why);
    const { owner, units, history, incomplete, notes } = record.value;
    if (owner === undefined || history.seen === '') {
      return unread(6, 'the agents of this Swarm have not looked at a repository yet');
    }
    if (incomplete === true) {
      return unread(1, ['not all of the record can be read', ...notes].join('; '));
    }
    const { environment } = owner;
    if (named !== undefined && named !== environment) {
      return unread(2, `this Swarm is \`${environment}\`, not \`${named}\``);
    }
    const ids = new Set<Id>([...units.keys(), ...(history.standing ?? []).map(({ id }) => id)]);
    const from = [
      `revision ${history.seen.slice(0, 7)}, as the agents of ${environment} follow it`,
    ];
    return { status: 'read', ground: { units: ids, environment }, from };
  } finally {
    desk.close();
  }
}

async function byFolder(
  folder: string,
  environment: string,
  { clock }: Pick<PurgeIo, 'clock'>,
  signal: AbortSignal,
): Promise<GroundRead> {
  if (!(await isFolder(folder, signal))) return unread(2, `there is no folder \`${folder}\``);
  const renderer = openPatientRenderer(environment, clock, { closed: 'fine' });
  try {
    const snapshot = await readFolder(resolve(folder), { limits: usualLimits, clock }, signal);
    const { reports, invalid } = await renderAll(renderer, snapshot, [environment], signal);
    if (invalid) {
      const why = `${folder} is invalid, so what it has is not known; understudy validate says why`;
      return unread(3, why);
    }
    const units = new Set([...reports.values()].flatMap((one) => one.units.map(({ id }) => id)));
    const from = [`the folder ${folder}, for ${environment}`];
    return { status: 'read', ground: { units, environment }, from };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return unread(1, error.message);
  } finally {
    await renderer.close();
  }
}

function unread(code: 1 | 2 | 3 | 6, why: string): GroundRead & { readonly status: 'unread' } {
  return { status: 'unread', code, why };
}

import type { MysqlServerSettings } from '../../../../schemas/settings.ts';
import type { CallOutcome } from '../../../core/kind.ts';
import {
  againRefusals,
  type Doomed,
  type PurgeGround,
  type Purger,
  type TargetFor,
} from '../../../core/purge.ts';
import { purgeOwner } from '../../../core/taken.ts';
import type { Clock } from '../../../reconcile/ports.ts';
import type { Answer } from '../connect.ts';
import { findWriter } from '../find-writer.ts';
import { loginsFor } from '../logins.ts';
import type { Sql } from '../sql.ts';
import { carryOut, STATEMENT_MS } from './carry-out.ts';
import { type DatabasePlace, keptInGit, linesOf, notesOf, refusalsOf } from './judge.ts';
import { type Looked, lookAt, type Reach } from './look.ts';

/** A database of one server of the agent's settings: of these only hosts and encryption are used. */
export function databaseTarget(
  place: DatabasePlace,
  settings: MysqlServerSettings,
  clock: Clock,
): TargetFor<'password'> {
  return {
    by: 'password',
    what: `database ${place.name} on server ${place.server}`,
    name: place.name,
    kept: (ground) => keptInGit(place, ground),
    open: (login) => {
      const reaching = async (): Promise<Reach | string> => {
        const read = await loginsFor(settings, login);
        return read.status === 'ok' ? { logins: read.logins, clock } : read.why;
      };
      return purger({ place, clock, reaching });
    },
  };
}

interface Own {
  readonly clock: Clock;
  readonly place: DatabasePlace;
  /** Or why it is not known how. */
  readonly reaching: () => Promise<Reach | string>;
}

function purger({ place, clock, reaching }: Own): Purger {
  async function looked(
    ground: PurgeGround,
    signal: AbortSignal,
  ): Promise<CallOutcome<{ readonly reach: Reach; readonly look: Looked }>> {
    const reach = await reaching();
    if (typeof reach === 'string') return { status: 'refused', why: reach, retry: 'never' };
    const look = await lookAt(place, reach, ground, signal);
    return look.status === 'ok' ? { status: 'ok', value: { reach, look: look.value } } : look;
  }
  return {
    look: async (ground, signal) => {
      const found = await looked(ground, signal);
      if (found.status !== 'ok') return found;
      found.value.look.connection.close();
      return { status: 'ok', value: doomed(place, found.value.look, ground) };
    },
    purge: async ({ ground, shown, deadlineMs }, signal) => {
      const found = await looked(ground, signal);
      if (found.status !== 'ok') return found;
      const { reach, look } = found.value;
      const value = doomed(place, look, ground);
      const refusals = [...value.refusals, ...againRefusals(shown, value)];
      if (refusals.length > 0) {
        look.connection.close();
        return { status: 'refused', why: refusals.join('; '), retry: 'after-replan' };
      }
      const { name } = place;
      const doom = {
        name,
        isThere: value.isThere,
        ids: linesOf(place, look.seen),
        environment: ground.environment,
        connection: look.connection,
        askWriter: askingWriter(reach),
        clock,
      };
      const done = await carryOut(doom, { deadlineMs, signal });
      return done === undefined ? { status: 'ok', value } : done;
    },
  };
}

/** Says one statement to the host that takes writes then, over a session of its own. Nothing stops it but its time. */
function askingWriter({ logins, clock }: Reach): (statement: Sql) => Promise<Answer> {
  const never = new AbortController().signal;
  return async (statement) => {
    const found = await findWriter(logins, { clock }, never);
    if (found.status !== 'ok') return found;
    const { connection } = found.value;
    const answer = await connection.query(statement, STATEMENT_MS, never);
    connection.close();
    return answer;
  };
}

/** Pure. */
function doomed(place: DatabasePlace, look: Looked, ground: PurgeGround): Doomed {
  const taken = purgeOwner(ground.environment);
  return {
    isThere: look.seen.databases.has(place.name),
    host: look.seen.host,
    facts: look.facts,
    refusals: refusalsOf(place, look, { ground, taken }),
    notes: notesOf(place, look),
  };
}

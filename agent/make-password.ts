import type { CallOutcome } from './core/kind.ts';
import { Secret } from './core/secret.ts';
import { passwordStatements } from './providers/mysql/generated-diff.ts';
import { secretLabels, secretName, type SwarmSecret } from './providers/mysql/generated.ts';
import {
  type AuthString,
  CACHING,
  cachingHash,
  generatedPassword,
  nativeHash,
  type Random,
} from './providers/mysql/hash.ts';
import type { PasswordCall, StatementsCall } from './providers/mysql/observed.ts';
import type { Servers } from './providers/mysql/servers.ts';
import { pluginOf } from './providers/mysql/wanted.ts';
import type { StackCall } from './providers/stack/swarm.ts';
import type { Caller } from './reconcile/ports.ts';

/** Where a password goes. */
export interface PasswordPorts {
  readonly swarm: Caller<StackCall>;
  readonly servers: Pick<Servers, 'call'>;
  /** All that the Swarm has. */
  readonly secrets: Iterable<SwarmSecret>;
  readonly random: Random;
}

type Outcome = CallOutcome<{ readonly id: string }>;

/**
 * Makes a password, or takes the one that is written, puts it into a secret of the Swarm and gives the server its hash, in this order: whoever dies in between leaves
 * a secret that nothing uses, and the next one makes another. The server is asked first whether it takes anything from us.
 */
export async function makePassword(
  call: PasswordCall,
  { swarm, servers, secrets, random }: PasswordPorts,
  signal: AbortSignal,
): Promise<Outcome> {
  const { id, spec } = call.unit;
  const ready = await servers.call(statements(call, []), signal);
  if (ready.status !== 'ok') return ready;
  const { secret, password, auth } = chosen(call, random);
  const kept = await swarm.call(
    {
      op: 'secret-create',
      name: secretName(secret, auth, secrets),
      labels: secretLabels({ id, spec, password: { secret } }, auth),
      data: base64(password),
    },
    signal,
  );
  if (kept.status !== 'ok') return kept;
  return servers.call(statements(call, passwordStatements(call, auth)), signal);
}

interface Chosen {
  /** The plain name of its secret. */
  readonly secret: string;
  readonly password: Secret;
  /** What the server is to keep of it. */
  readonly auth: AuthString;
}

function chosen({ unit: { id, spec }, seen, given }: PasswordCall, random: Random): Chosen {
  const { password: source } = spec;
  if (source.from === 'generated') {
    const { secret, length } = source;
    const password = generatedPassword(length, random);
    return { secret, password, auth: hashed(password, pluginOf(spec, seen.server), random) };
  }
  const secret = source.from === 'file' ? source.secret : undefined;
  if (secret === undefined || given === undefined) {
    throw new Error(`bug: the password of ${id} goes to no secret`);
  }
  return { secret, password: given.password, auth: given.fresh };
}

function statements({ server }: PasswordCall, said: StatementsCall['statements']): StatementsCall {
  return { op: 'statements', statements: said, ...(server !== undefined && { server }) };
}

function hashed(password: Secret, plugin: string, random: Random): AuthString {
  return plugin === CACHING ? cachingHash(password, random) : nativeHash(password);
}

/** As the engine takes contents. */
function base64(password: Secret): Secret {
  return new Secret(Buffer.from(password.reveal(), 'utf8').toString('base64'));
}

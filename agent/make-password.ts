import type { CallOutcome, Id } from './core/kind.ts';
import { Secret } from './core/secret.ts';
import { passwordStatements } from './providers/mysql/generated-diff.ts';
import { LABELS, secretLabels, secretName, type SwarmSecret } from './providers/mysql/generated.ts';
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
  readonly unfinished: Unfinished;
}

/**
 * By unit, passwords that were made and that no server took yet: the next try takes up the same one. What fails for hours has one
 * secret then, and not one for each try.
 */
export type Unfinished = Map<Id, Made>;

type Outcome = CallOutcome<{ readonly id: string }>;

/**
 * Makes a password, or takes the one that is written, puts it into a secret of the Swarm and gives the server its hash, in this order: whoever dies in between leaves
 * a secret that nothing uses, and the next one makes another. The server is asked first whether it takes anything from us.
 */
export async function makePassword(
  call: PasswordCall,
  ports: PasswordPorts,
  signal: AbortSignal,
): Promise<Outcome> {
  const { swarm, servers, unfinished } = ports;
  const { id } = call.unit;
  const ready = await servers.call(statements(call, []), signal);
  if (ready.status !== 'ok') return ready;
  const secrets = [...ports.secrets];
  const made = begun(call, unfinished.get(id)) ?? newlyMade(call, secrets, ports.random);
  unfinished.set(id, made);
  if (!isKept(made, secrets)) {
    const { name, labels, password } = made;
    const data = base64(password);
    const kept = await swarm.call({ op: 'secret-create', name, labels, data }, signal);
    // Another one has the name: the next try looks for a free one.
    if (kept.status === 'refused') unfinished.delete(id);
    if (kept.status !== 'ok') return kept;
  }
  const said = statements(call, passwordStatements(call, made.auth));
  const written = await servers.call(said, signal);
  if (written.status === 'ok') unfinished.delete(id);
  return written;
}

interface Chosen {
  /** The plain name of its secret. */
  readonly secret: string;
  readonly password: Secret;
  /** What the server is to keep of it. */
  readonly auth: AuthString;
}

/** A password with the secret that holds it, or is to hold it. */
export interface Made extends Chosen {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** One that an earlier try left, where it still is what is asked for. */
function begun({ unit, seen, given }: PasswordCall, made: Made | undefined): Made | undefined {
  const { id, spec } = unit;
  const { password: source } = spec;
  if (made === undefined || given !== undefined || source.from !== 'generated') return undefined;
  const labels = secretLabels({ id, spec, password: source }, made.auth);
  const isAsked =
    JSON.stringify(labels) === JSON.stringify(made.labels) &&
    made.auth.plugin === pluginOf(spec, seen.server) &&
    made.password.reveal().length === source.length;
  return isAsked ? made : undefined;
}

function newlyMade(call: PasswordCall, secrets: readonly SwarmSecret[], random: Random): Made {
  const { id, spec } = call.unit;
  const one = chosen(call, random);
  const { secret, auth } = one;
  const labels = secretLabels({ id, spec, password: { secret } }, auth);
  return { ...one, name: secretName(secret, auth, secrets), labels };
}

function isKept({ name, labels }: Made, secrets: readonly SwarmSecret[]): boolean {
  return secrets.some(
    (one) => one.name === name && one.labels[LABELS.auth] === labels[LABELS.auth],
  );
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

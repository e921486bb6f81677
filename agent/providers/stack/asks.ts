import type { CallOutcome } from '../../core/kind.ts';
import { classifyRemoval } from './classify.ts';
import {
  distributionPath,
  imageFound,
  type ImageFound,
  imagePath,
  readImageId,
} from './distribution.ts';
import { judged, outcomeOf, shapedOutcome } from './judged.ts';
import type { Shaped } from './shaped.ts';
import {
  type EngineIdentity,
  readConfig,
  readIdentity,
  readLastCheck,
  readRunning,
} from './shapes.ts';
import type { RegistryLogins } from './registry-logins.ts';
import type { RemoveCall } from './sendable.ts';
import type { ConfigHead } from './swarm.ts';
import type { Dial, Modem } from './transport.ts';

/** Which Swarm, and which of its nodes, this engine is. */
export async function identity(
  modem: Modem,
  signal: AbortSignal,
): Promise<CallOutcome<Omit<EngineIdentity, 'manager'>>> {
  signal.throwIfAborted();
  const outcome = await outcomeOf(() => modem.ask(reading('/info', signal)), readIdentity);
  signal.throwIfAborted();
  if (outcome.status !== 'ok') return outcome;
  const { manager, ...rest } = outcome.value;
  if (manager) return { status: 'ok', value: rest };
  const why = 'this engine is not a manager of a Swarm';
  return { status: 'refused', why, retry: 'after-replan', cause: 'not-a-manager' };
}

/** What a registry says of an image, asked through the engine with the login that the agent has for that registry. */
export async function findImage(
  { modem, logins }: { readonly modem: Modem; readonly logins: RegistryLogins },
  image: string,
  signal: AbortSignal,
): Promise<CallOutcome<ImageFound & { readonly login?: true }>> {
  signal.throwIfAborted();
  const path = distributionPath(image);
  if (path === undefined) {
    const why = 'this is no name of an image';
    return { status: 'ok', value: { found: 'missing', why } };
  }
  const login = await logins.headerFor(image);
  if (login.status !== 'ok') return { status: 'unknown', why: login.why };
  const { header } = login;
  const dial = reading(path, signal);
  const options = { ...dial.options, ...(header !== undefined && { _login: header }) };
  const outcome = await judged(() => modem.reply({ ...dial, options }), imageFound);
  signal.throwIfAborted();
  if (outcome.status !== 'ok' || header === undefined) return outcome;
  return { status: 'ok', value: { ...outcome.value, login: true } };
}

/** Whether this very engine has the image, whatever registries say. */
export async function hasImage(
  modem: Modem,
  image: string,
  signal: AbortSignal,
): Promise<CallOutcome<boolean>> {
  signal.throwIfAborted();
  const path = imagePath(image);
  if (path === undefined) return { status: 'ok', value: false };
  const outcome = await found(modem, reading(path, signal), readImageId);
  signal.throwIfAborted();
  return outcome.status === 'ok' ? { status: 'ok', value: outcome.value !== undefined } : outcome;
}

/** One config by its name, read alone; undefined where there is none. */
export async function configNamed(
  modem: Modem,
  name: string,
  signal: AbortSignal,
): Promise<CallOutcome<ConfigHead | undefined>> {
  if (!/^understudy(\.[a-z0-9]+)+$/.test(name)) throw new Error('bug: not a config of ours');
  signal.throwIfAborted();
  const shaped = await found(modem, reading(`/configs/${name}`, signal), readConfig);
  signal.throwIfAborted();
  if (shaped.status !== 'ok') return shaped;
  if (shaped.value === undefined) return nothing;
  // The engine also takes another case, and the beginning of an id.
  const { id, version, name: called, labels } = shaped.value;
  return called === name ? { status: 'ok', value: { id, version, labels } } : nothing;
}

/** Whether a container of this very engine runs; undefined where it has none of that id. */
export async function containerRuns(
  modem: Modem,
  id: string,
  signal: AbortSignal,
): Promise<CallOutcome<boolean | undefined>> {
  if (!/^[0-9a-f]{64}$/.test(id)) throw new Error('bug: not the id of a container');
  signal.throwIfAborted();
  const outcome = await found(modem, reading(`/containers/${id}/json`, signal), readRunning);
  signal.throwIfAborted();
  return outcome;
}

/** What the last healthcheck of a container of this very engine wrote; undefined where it has none of that id, or no check. */
export async function lastCheck(
  modem: Modem,
  id: string,
  signal: AbortSignal,
): Promise<CallOutcome<string | undefined>> {
  if (!/^[0-9a-f]{64}$/.test(id)) return nothing;
  signal.throwIfAborted();
  const outcome = await found(modem, reading(`/containers/${id}/json`, signal), readLastCheck);
  signal.throwIfAborted();
  return outcome.status === 'ok' ? { status: 'ok', value: outcome.value?.output } : outcome;
}

/** One thing by its name or id; undefined where there is none. */
async function found<Value>(
  modem: Modem,
  dial: Dial,
  shape: (json: unknown) => Shaped<Value>,
): Promise<CallOutcome<Value | undefined>> {
  return judged(
    () => modem.reply(dial),
    (reply): CallOutcome<Value | undefined> => {
      const outcome = classifyRemoval(reply);
      if (outcome.status !== 'ok') return outcome;
      const isThere = reply.kind !== 'answer' || reply.status !== 404;
      return isThere ? shapedOutcome(outcome.value, shape) : nothing;
    },
  );
}

const nothing: CallOutcome<undefined> = { status: 'ok', value: undefined };

function reading(path: string, abortSignal: AbortSignal): Dial {
  return { path, method: 'GET', options: { _query: {} }, abortSignal };
}

/** By the modem: dockerode passes no options on to a delete. */
export async function remove(
  modem: Modem,
  { op, id }: RemoveCall,
  abortSignal: AbortSignal,
): Promise<CallOutcome<{ readonly id: string }>> {
  const options = { _query: {} };
  const reply = await modem.reply({
    path: `/${op.replace('-remove', 's')}/${id}`,
    method: 'DELETE',
    options,
    abortSignal,
  });
  const outcome = classifyRemoval(reply);
  return outcome.status === 'ok' ? { status: 'ok', value: { id } } : outcome;
}

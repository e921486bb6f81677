import Docker from 'dockerode';
import type { CallOutcome } from '../../core/kind.ts';
import type { Clock } from '../../reconcile/ports.ts';
import { classifyRemoval, type NotOk } from './classify.ts';
import { distributionPath, imageFound, type ImageFound } from './distribution.ts';
import {
  isUpdated,
  readConfig,
  readConfigs,
  readIdentity,
  readMade,
  readNetworks,
  readNodes,
  readSecrets,
  readServices,
  readTaskIds,
  readTasks,
} from './shapes.ts';
import type { Shaped } from './shaped.ts';
import { assertSendable, isRemoval, type RemoveCall } from './sendable.ts';
import type { StackCall, Swarm, SwarmState } from './swarm.ts';
import { type AnswerBytesMax, type Dial, EngineError, type Modem, openModem } from './transport.ts';

/** How to reach the engine of one manager. */
export interface SwarmSettings {
  /** Path of the engine's unix socket. Nothing in the environment changes it. */
  readonly socket: string;
  /** Engine API version, pinned; the default. */
  readonly version?: '1.41';
  /** Exchanges at once; 16. */
  readonly atOnce?: number;
  /** How long a call may take, waiting for its turn included; 6 s each (DESIGN 8: the lease is built on it). */
  readonly deadlinesMs?: { readonly read: number; readonly write: number };
  readonly answerBytesMax?: AnswerBytesMax;
}

/** A list of 650 stacks takes 1 to 8 MB, and with 50 KB of configs in each the list of configs 45 MB, once. */
const ANSWER_BYTES_MAX: AnswerBytesMax = {
  configs: 256 * 1024 * 1024,
  other: 64 * 1024 * 1024,
};

/** The engine itself waits 15 s for a registry. */
const IMAGE_DEADLINE_MS = 20_000;

/** A registry that hangs must not keep connections from the calls that the lease is built on. */
const IMAGES_AT_ONCE = 4;

/**
 * Opens the Swarm behind one engine's socket; connections are made when needed. A call that was under way when its
 * signal was aborted is `unknown`; one that had not begun, and any reading, rejects with the signal's reason.
 */
export function openSwarm(settings: SwarmSettings, clock: Clock): Swarm & { close(): void } {
  const transport = {
    socket: settings.socket,
    version: settings.version ?? '1.41',
    atOnce: settings.atOnce ?? 16,
    deadlinesMs: settings.deadlinesMs ?? { read: 6_000, write: 6_000 },
    answerBytesMax: settings.answerBytesMax ?? ANSWER_BYTES_MAX,
  };
  const modem = openModem(transport, clock);
  const deadlinesMs = { ...transport.deadlinesMs, read: IMAGE_DEADLINE_MS };
  const images = openModem({ ...transport, atOnce: IMAGES_AT_ONCE, deadlinesMs }, clock);
  return swarmOver({ modem, images });
}

/** The Swarm through these modems; closing it closes both. `images` asks about images, `modem` does the rest. */
export function swarmOver({
  modem,
  images,
}: {
  readonly modem: Modem;
  readonly images: Modem;
}): Swarm & { close(): void } {
  // dockerode takes a modem; its types do not know it. With one it reads nothing from the environment.
  const options = { Promise, modem };
  const docker = new Docker(options);
  return {
    observe: (signal) => observe(docker, signal),
    identity: (signal) => identity(modem, signal),
    image: (image, signal) => findImage(images, image, signal),
    configLabels: (name, signal) => configLabels(modem, name, signal),
    call: (call, signal) => carryOut({ docker, modem }, call, signal),
    close: () => {
      modem.close();
      images.close();
    },
  };
}

async function observe(docker: Docker, signal: AbortSignal): Promise<CallOutcome<SwarmState>> {
  signal.throwIfAborted();
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let failed: NotOk | undefined;

  async function read<Value>(
    what: string,
    ask: (query: Query) => Promise<unknown>,
    shape: (json: unknown) => Shaped<Value>,
    filters?: Readonly<Record<string, readonly string[]>>,
  ): Promise<Value | undefined> {
    const query = { _query: filters === undefined ? {} : { filters }, abortSignal: either };
    const outcome = await outcomeOf(() => ask(query), shape);
    if (outcome.status === 'ok') return outcome.value;
    // The first failure is the cause; what it stops fails too and says nothing.
    const cause = outcome.cause === undefined ? {} : { cause: outcome.cause };
    failed ??= { status: 'unknown', why: `reading ${what}: ${outcome.why}`, ...cause };
    stop.abort();
    return undefined;
  }

  const fresh = { '_up-to-date': ['true'] };
  const [services, networks, configs, secrets, nodes, tasks, freshTaskIds] = await Promise.all([
    read('services', (query) => docker.listServices(query), readServices),
    read('networks', (query) => docker.listNetworks(query), readNetworks),
    read('configs', (query) => docker.listConfigs(query), readConfigs),
    read('secrets', (query) => docker.listSecrets(query), readSecrets),
    read('nodes', (query) => docker.listNodes(query), readNodes),
    read('tasks', (query) => docker.listTasks(query), readTasks),
    read('fresh tasks', (query) => docker.listTasks(query), readTaskIds, fresh),
  ]);
  signal.throwIfAborted();
  if (services && networks && configs && secrets && nodes && tasks && freshTaskIds) {
    const value = { services, networks, configs, secrets, nodes, tasks, freshTaskIds };
    return { status: 'ok', value };
  }
  return failed ?? { status: 'unknown', why: 'reading the Swarm failed' };
}

async function identity(
  modem: Modem,
  signal: AbortSignal,
): Promise<CallOutcome<{ readonly swarmId: string; readonly nodeId: string }>> {
  signal.throwIfAborted();
  const outcome = await outcomeOf(() => modem.ask(reading('/info', signal)), readIdentity);
  signal.throwIfAborted();
  if (outcome.status !== 'ok') return outcome;
  const { manager, swarmId, nodeId } = outcome.value;
  if (manager) return { status: 'ok', value: { swarmId, nodeId } };
  const why = 'this engine is not a manager of a Swarm';
  return { status: 'refused', why, retry: 'after-replan', cause: 'not-a-manager' };
}

async function findImage(
  modem: Modem,
  image: string,
  signal: AbortSignal,
): Promise<CallOutcome<ImageFound>> {
  signal.throwIfAborted();
  const path = distributionPath(image);
  if (path === undefined) {
    return { status: 'ok', value: { found: 'missing', why: 'this is no name of an image' } };
  }
  const outcome = await judged(() => modem.reply(reading(path, signal)), imageFound);
  signal.throwIfAborted();
  return outcome;
}

async function configLabels(
  modem: Modem,
  name: string,
  signal: AbortSignal,
): Promise<CallOutcome<{ readonly labels: Readonly<Record<string, string>> }>> {
  if (!/^understudy(\.[a-z0-9]+)+$/.test(name)) throw new Error('bug: not a config of ours');
  signal.throwIfAborted();
  const outcome = await outcomeOf(() => modem.ask(reading(`/configs/${name}`, signal)), readConfig);
  signal.throwIfAborted();
  if (outcome.status !== 'ok') return outcome;
  // The engine also takes another case, and the beginning of an id.
  const { name: found, labels } = outcome.value;
  if (found === name) return { status: 'ok', value: { labels } };
  return { status: 'refused', why: `config ${name} not found`, retry: 'after-replan' };
}

function reading(path: string, abortSignal: AbortSignal): Dial {
  return { path, method: 'GET', options: { _query: {} }, abortSignal };
}

interface Query {
  readonly _query: object;
  readonly abortSignal: AbortSignal;
}

interface Engine {
  readonly docker: Docker;
  readonly modem: Modem;
}

async function carryOut(
  { docker, modem }: Engine,
  call: StackCall,
  signal: AbortSignal,
): Promise<CallOutcome<{ readonly id: string }>> {
  assertSendable(call);
  signal.throwIfAborted();
  if (isRemoval(call)) return remove(modem, call, signal);
  return outcomeOf(() => send(docker, call, signal), readMade);
}

/** By the modem: dockerode passes no options on to a delete. */
async function remove(
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

/** dockerode gives a handle with the new object's id. Bodies go into `_body`, never into the URL. */
async function send(
  docker: Docker,
  call: Exclude<StackCall, RemoveCall>,
  abortSignal: AbortSignal,
): Promise<unknown> {
  const rest = { _query: {}, abortSignal };
  switch (call.op) {
    case 'network-create': {
      const options = { ...rest, Name: call.body.Name, _body: call.body };
      return docker.createNetwork(options);
    }
    case 'config-create':
      return docker.createConfig({ ...rest, _body: fileBody(call, call.data) });
    case 'secret-create':
      return docker.createSecret({ ...rest, _body: fileBody(call, call.data.reveal()) });
    case 'service-create': {
      const options = { ...rest, _body: call.body };
      return docker.createService(options);
    }
    case 'config-label':
    case 'secret-label': {
      const options = { ...versioned(call), abortSignal, _body: labelBody(call) };
      const file =
        call.op === 'config-label' ? docker.getConfig(call.id) : docker.getSecret(call.id);
      return isUpdated('file', await file.update(options)) ? { id: call.id } : {};
    }
    case 'service-update': {
      const options = { ...versioned(call), abortSignal, _body: call.body };
      const answer: unknown = await docker.getService(call.id).update(options);
      return isUpdated('service', answer) ? { id: call.id } : {};
    }
  }
}

function versioned(call: { readonly version: number }): { readonly _query: object } {
  return { _query: { version: call.version } };
}

function labelBody(call: {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}): object {
  return { Name: call.name, Labels: call.labels };
}

function fileBody(
  call: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly templating?: string;
  },
  data: string,
): object {
  const templating = call.templating === undefined ? {} : { Templating: { Name: call.templating } };
  return { Name: call.name, Labels: call.labels, Data: data, ...templating };
}

async function outcomeOf<Value>(
  ask: () => Promise<unknown>,
  shape: (json: unknown) => Shaped<Value>,
): Promise<CallOutcome<Value>> {
  return judged(ask, (json) => {
    const shaped = shape(json);
    if (shaped.ok) return { status: 'ok', value: shaped.value };
    return { status: 'unknown', why: `the answer has another shape at ${shaped.where}` };
  });
}

async function judged<Answer, Value>(
  ask: () => Promise<Answer>,
  judge: (answer: Answer) => CallOutcome<Value>,
): Promise<CallOutcome<Value>> {
  try {
    return judge(await ask());
  } catch (error) {
    if (error instanceof EngineError) return error.outcome;
    throw error;
  }
}

import Docker from 'dockerode';
import type { CallOutcome } from '../../core/kind.ts';
import { SWARM_CALL_MS } from '../../core/lease.ts';
import type { Secret } from '../../core/secret.ts';
import type { Clock } from '../../reconcile/ports.ts';
import {
  configNamed,
  containerRuns,
  findImage,
  hasImage,
  identity,
  lastCheck,
  remove,
} from './asks.ts';
import type { NotOk } from './classify.ts';
import { outcomeOf } from './judged.ts';
import {
  isUpdated,
  readConfigs,
  readMade,
  readNetworks,
  readNodes,
  readSecrets,
  readServices,
} from './shapes.ts';
import { once } from './once.ts';
import {
  emptyLogin,
  type LoginHeader,
  noLogins,
  registryLogins,
  type RegistryLogins,
  type RegistrySettings,
} from './registry-logins.ts';
import type { Shaped } from './shaped.ts';
import { assertSendable, isRemoval, type RemoveCall } from './sendable.ts';
import type { SecretSource } from './spec.ts';
import { readTaskIds, readTasks } from './task-shape.ts';
import type { StackCall, Swarm, SwarmState } from './swarm.ts';
import { readTaskLog } from './task-log.ts';
import { withoutData } from './without-data.ts';
import { type AnswerBytesMax, type Modem, openModem } from './transport.ts';

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
  /** Logins that go with services and questions about images. */
  readonly registries?: RegistrySettings;
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

/** A line may be of any length: of a log that is larger nothing is shown. */
const LOG_BYTES_MAX = 256 * 1024;
const LOGS_AT_ONCE = 4;

/**
 * Opens the Swarm behind one engine's socket; connections are made when needed. A call that was under way when its
 * signal was aborted is `unknown`; one that had not begun, and any reading, rejects with the signal's reason.
 */
export function openSwarm(settings: SwarmSettings, clock: Clock): Swarm & { close(): void } {
  const transport = {
    socket: settings.socket,
    version: settings.version ?? '1.41',
    atOnce: settings.atOnce ?? 16,
    deadlinesMs: settings.deadlinesMs ?? { read: SWARM_CALL_MS, write: SWARM_CALL_MS },
    answerBytesMax: settings.answerBytesMax ?? ANSWER_BYTES_MAX,
  };
  const modem = openModem(transport, clock);
  const deadlinesMs = { ...transport.deadlinesMs, read: IMAGE_DEADLINE_MS };
  const images = openModem({ ...transport, atOnce: IMAGES_AT_ONCE, deadlinesMs }, clock);
  const small = { configs: LOG_BYTES_MAX, other: LOG_BYTES_MAX };
  const logs = openModem({ ...transport, atOnce: LOGS_AT_ONCE, answerBytesMax: small }, clock);
  return swarmOver({ modem, images, logs, logins: registryLogins(settings.registries ?? {}) });
}

/** The Swarm through these modems; closing it closes all. `images` asks about images, `logs` for logs, `modem` does the rest. */
export function swarmOver({
  modem,
  images,
  logs,
  logins = noLogins,
}: {
  readonly modem: Modem;
  readonly images: Modem;
  readonly logs: Modem;
  readonly logins?: RegistryLogins;
}): Swarm & { close(): void } {
  // dockerode takes a modem; its types do not know it. With one it reads nothing from the environment.
  const options = { Promise, modem };
  const docker = new Docker(options);
  return {
    observe: (signal) => observe(docker, signal),
    identity: (signal) => identity(modem, signal),
    containerRuns: (id, signal) => containerRuns(modem, id, signal),
    image: (image, signal) => findImage({ modem: images, logins }, image, signal),
    hasImage: (image, signal) => hasImage(images, image, signal),
    taskLog: (task, signal) => readTaskLog(logs, task, signal),
    lastCheck: (container, signal) => lastCheck(logs, container, signal),
    configNamed: (name, signal) => configNamed(modem, name, signal),
    call: (call, signal) => carryOut({ docker, modem, logins }, call, signal),
    close: () => {
      modem.close();
      images.close();
      logs.close();
    },
  };
}

/** How each list is read; one that did not change is not read again. */
const shapes = {
  services: once(readServices),
  networks: once(readNetworks),
  configs: once(readConfigs),
  secrets: once(readSecrets),
  nodes: once(readNodes),
  tasks: once(readTasks),
  taskIds: once(readTaskIds),
};

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
    read('services', (query) => docker.listServices(query), shapes.services),
    read('networks', (query) => docker.listNetworks(query), shapes.networks),
    read('configs', (query) => docker.listConfigs(query), shapes.configs),
    read('secrets', (query) => docker.listSecrets(query), shapes.secrets),
    read('nodes', (query) => docker.listNodes(query), shapes.nodes),
    read('tasks', (query) => docker.listTasks(query), shapes.tasks),
    read('fresh tasks', (query) => docker.listTasks(query), shapes.taskIds, fresh),
  ]);
  signal.throwIfAborted();
  if (services && networks && configs && secrets && nodes && tasks && freshTaskIds) {
    const value = { services, networks, configs, secrets, nodes, tasks, freshTaskIds };
    return { status: 'ok', value };
  }
  return failed ?? { status: 'unknown', why: 'reading the Swarm failed' };
}

interface Query {
  readonly _query: object;
  readonly abortSignal: AbortSignal;
}

interface Engine {
  readonly docker: Docker;
  readonly modem: Modem;
  readonly logins: RegistryLogins;
}

async function carryOut(
  { docker, modem, logins }: Engine,
  call: StackCall,
  signal: AbortSignal,
): Promise<CallOutcome<{ readonly id: string }>> {
  assertSendable(call);
  signal.throwIfAborted();
  if (isRemoval(call)) return remove(modem, call, signal);
  const login = await loginOf(call, logins);
  // Nothing was sent: it is tried again, and the file may be there by then.
  if (login.status !== 'ok') return { status: 'unknown', why: login.why };
  const options = {
    abortSignal: signal,
    ...(login.header !== undefined && { _login: login.header }),
  };
  return withoutData(call, await outcomeOf(() => send(docker, call, options), readMade));
}

/**
 * What the nodes pull a service's image with. Without it an update leaves the engine the login that it has, which must not
 * go to another registry than the one that it was given for.
 */
async function loginOf(call: StackCall, logins: RegistryLogins): Promise<LoginHeader> {
  if (call.op !== 'service-create' && call.op !== 'service-update') return noLogin;
  const login = await logins.headerFor(call.body.TaskTemplate.ContainerSpec.Image);
  const isLeft = call.op === 'service-update' && call.otherRegistry === true;
  const isNone = login.status === 'ok' && login.header === undefined;
  return isNone && isLeft ? { status: 'ok', header: emptyLogin } : login;
}

const noLogin: LoginHeader = { status: 'ok', header: undefined };

/** dockerode gives a handle with the new object's id. Bodies go into `_body`, never into the URL. */
async function send(
  docker: Docker,
  call: Exclude<StackCall, RemoveCall>,
  { abortSignal, ...login }: { readonly abortSignal: AbortSignal; readonly _login?: Secret },
): Promise<unknown> {
  const rest = { _query: {}, abortSignal };
  switch (call.op) {
    case 'network-create': {
      const options = { ...rest, Name: call.body.Name, _body: call.body };
      return docker.createNetwork(options);
    }
    case 'config-create':
      return docker.createConfig({ ...rest, _body: fileBody(call, { Data: call.data }) });
    case 'secret-create':
      return docker.createSecret({ ...rest, _body: fileBody(call, secretSource(call)) });
    case 'service-create': {
      const options = { ...rest, ...login, _body: call.body };
      return docker.createService(options);
    }
    case 'secret-prove': {
      const options = {
        ...versioned(call),
        abortSignal,
        _body: fileBody(call, secretSource(call)),
      };
      return isUpdated('file', await docker.getSecret(call.id).update(options))
        ? { id: call.id }
        : {};
    }
    case 'config-label':
    case 'secret-label': {
      const options = { ...versioned(call), abortSignal, _body: labelBody(call) };
      const file =
        call.op === 'config-label' ? docker.getConfig(call.id) : docker.getSecret(call.id);
      return isUpdated('file', await file.update(options)) ? { id: call.id } : {};
    }
    case 'service-update': {
      const options = { ...versioned(call), abortSignal, ...login, _body: call.body };
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
  source: object,
): object {
  const templating = call.templating === undefined ? {} : { Templating: { Name: call.templating } };
  return { Name: call.name, Labels: call.labels, ...source, ...templating };
}

function secretSource(source: SecretSource): object {
  if (source.data !== undefined) return { Data: source.data.reveal() };
  const { name, options } = source.driver;
  return { Driver: { Name: name, ...(options && { Options: options }) } };
}

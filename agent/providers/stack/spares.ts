import type { Operation, Rendered } from '../../core/kind.ts';
import type { Spare } from '../../core/member.ts';
import type { Secret } from '../../core/secret.ts';
import { type Mounts, mountsOf } from './mounts.ts';
import { DIGEST_LABEL, isNameFor } from './names.ts';
import type { StackObserved } from './observed.ts';
import type { StackSpec } from './spec.ts';
import { digestOfConfig, stackFiles } from './stack-files.ts';
import type {
  ObservedConfig,
  ObservedSecret,
  ObservedService,
  ObservedTask,
  StackCall,
} from './swarm.ts';
import { isOver } from './tasks.ts';

/**
 * Pure. Configs and secrets that were made for the stack, hold something else than it wants, and that no service names
 * now or did before its last update, nor any task that is not over. None while something that it wants is not there.
 */
export function stackSpares(
  unit: Rendered<StackSpec>,
  observed: StackObserved,
): readonly Spare<StackCall>[] {
  const { name: stack } = unit.spec;
  const key = observed.digestKey;
  const used = usedIn(observed);
  const configs = (observed.configsOf.get(stack) ?? []).filter(
    (one) => !isNamed(used.configs, one),
  );
  const secrets = (observed.secretsOf.get(stack) ?? []).filter(
    (one) => !isNamed(used.secrets, one),
  );
  if (key === undefined || configs.length + secrets.length === 0) return [];
  const wanted = stackFiles(unit, observed, key);
  const carriers = new Set(
    [...wanted.configs, ...wanted.secrets].map(({ chosen }) =>
      chosen.status === 'there' ? chosen.carrier.id : undefined,
    ),
  );
  if (carriers.has(undefined)) return [];
  const plain = wanted.configs.map((one) => one.plain);
  return [
    ...configs
      .filter((one) => !carriers.has(one.id) && isOurConfig(one, plain, key))
      .map((one) => spare('config', one, stack)),
    ...secrets
      .filter((one) => !carriers.has(one.id) && isOurSecret(one))
      .map((one) => spare('secret', one, stack)),
  ];
}

/**
 * The label alone says what somebody put there. Nobody without the key chose the digits of its own content for its name; and
 * the plain name is one that the stack's file has.
 */
function isOurConfig(config: ObservedConfig, plain: readonly string[], key: Secret): boolean {
  const { name } = config;
  if (plain.includes(name)) return true;
  const digest = digestOfConfig(config, key);
  return isNameFor(name, digest) || plain.some((one) => isNameFor(name, digest, one));
}

/** What a plugin holds is lost with no object, and bears no digest. */
function isOurSecret({ labels, driver }: ObservedSecret): boolean {
  return driver === undefined && DIGEST_LABEL in labels;
}

function spare(
  noun: 'config' | 'secret',
  { id, name }: ObservedConfig | ObservedSecret,
  stack: string,
): Spare<StackCall> {
  const operation: Operation<StackCall> = {
    target: `${noun} ${name}`,
    verb: 'remove',
    phase: 'remove',
    effect: 'destructive',
    fields: [],
    call: { op: `${noun}-remove`, id, name, stack },
  };
  return { id, need: `${noun}:${name}`, operation };
}

/** Pure. Whether a service names a secret now or did before its last update, or a task that is not over does. */
export function isSecretUsed(secret: ObservedSecret, observed: StackObserved): boolean {
  return isNamed(usedIn(observed).secrets, secret);
}

/** Pure. Who mounts a secret now, in words; what a service had before its last update is not looked at. */
export function secretUser(secret: ObservedSecret, { state }: StackObserved): string | undefined {
  const names = (mounts: Mounts | undefined): boolean =>
    mounts !== undefined && isNamed(new Set(mounts.secrets), secret);
  const service = state.services.find(({ spec }) =>
    names(mountsOf(spec.TaskTemplate.ContainerSpec)),
  );
  if (service !== undefined) return `service ${service.spec.Name}`;
  const task = state.tasks.find((one) => !isOver(one) && names(one.mounts));
  if (task === undefined) return undefined;
  const of = state.services.find(({ id }) => id === task.serviceId)?.spec.Name;
  return of === undefined ? `task ${task.id}` : `a task of service ${of}`;
}

/** Ids, and names in lower case. */
interface Used {
  readonly configs: ReadonlySet<string>;
  readonly secrets: ReadonlySet<string>;
}

function isNamed(used: ReadonlySet<string>, { id, name }: ObservedConfig | ObservedSecret) {
  return used.has(id) || used.has(name.toLowerCase());
}

/** Worked out once for two lists: while they did not change they are the same objects. */
const known = new WeakMap<
  readonly ObservedService[],
  { readonly tasks: readonly ObservedTask[]; readonly used: Used }
>();

function usedIn({ state: { services, tasks } }: StackObserved): Used {
  const before = known.get(services);
  if (before?.tasks === tasks) return before.used;
  const mounts = [
    ...services.flatMap((one) => [mountsOf(one.spec.TaskTemplate.ContainerSpec), one.before]),
    ...tasks.filter((one) => !isOver(one)).map((one) => one.mounts),
  ].filter((one): one is Mounts => one !== undefined);
  const used: Used = {
    configs: new Set(mounts.flatMap(({ configs }) => configs)),
    secrets: new Set(mounts.flatMap(({ secrets }) => secrets)),
  };
  known.set(services, { tasks, used });
  return used;
}

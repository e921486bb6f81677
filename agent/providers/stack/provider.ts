import type { CallOutcome, Kind } from '../../core/kind.ts';
import type { HeadFormat, Provider } from '../../reconcile/ports.ts';
import { withCredential } from './credential-config.ts';
import { Disproved } from './disproved.ts';
import { diffStack } from './diff.ts';
import type { ServiceSpec } from './engine-api.ts';
import { stackFirst } from './first.ts';
import { withGivenValues } from './given-kind.ts';
import { stackGivenUp, stackHealth, stackTaskIds } from './health.ts';
import { indexState, type StackObserved } from './observed.ts';
import { absentNodes } from './outside.ts';
import { restoreStack, stackRelease } from './release.ts';
import {
  removeMembers,
  stackMakes,
  stackMembers,
  stackRuns,
  stackSizes,
  stackUsers,
} from './remove.ts';
import { stackSpares } from './spares.ts';
import { registryOf } from './registry-logins.ts';
import type { StackSpec } from './spec.ts';
import { isSameSwarm } from './same-swarm.ts';
import { resumeStack, stackParts, stopParts } from './stop.ts';
import type { StackCall, Swarm } from './swarm.ts';
import { veiledFirst, veiledHealth, veiledOutcome } from './veil.ts';

const stacks: Kind<StackSpec, StackObserved, StackCall> = {
  kind: 'stack',
  diff: diffStack,
  baseline: stackTaskIds,
  absent: absentNodes,
  health: (unit, observed, seen) => veiledHealth(unit.spec, stackHealth(unit, observed, seen)),
  givenUp: (unit, observed, seen) => {
    const health = stackGivenUp(unit, observed, seen);
    return health && veiledHealth(unit.spec, health);
  },
  resume: resumeStack,
  times: ({ spec }) => spec.health,
  rollback: ({ spec }) => spec.rollback,
  isThere: ({ spec }, { serviceNames }) => serviceNames.has(spec.name),
  release: stackRelease,
  restore: restoreStack,
  parts: stackParts,
  stop: stopParts,
  removal: ({ spec }) => ({ hold: spec.removal === 'hold', prune: spec.prune !== false }),
  makes: stackMakes,
  members: stackMembers,
  remove: removeMembers,
  runs: stackRuns,
  users: stackUsers,
  spares: stackSpares,
  sizes: stackSizes,
};

/** The kind of a stack as plans have it: they show what would be called, whether or not its images are to be had. */
export const plannedStacks = withGivenValues(stacks);

/** The kind of a stack: what differs and how it does, from data alone. */
export const stackKind = withGivenValues({
  ...stacks,
  first: (unit, observed, input) => veiledFirst(unit.spec, stackFirst(unit, observed, input)),
});

/** Stacks on one Swarm. */
export function stackProvider(swarm: Swarm, head: HeadFormat): Provider<StackObserved, StackCall> {
  const disproved = new Disproved();
  return {
    observe: async (signal) => {
      const observed = await swarm.observe(signal);
      if (observed.status !== 'ok') return { ...observed, why: inWords(observed) };
      const state = observed.value;
      const found = head.parse(state.configs.find(({ name }) => name === head.name)?.data);
      // A damaged head is somebody's to look at: a new one would forget what it held.
      if (found.status === 'damaged') {
        return {
          status: 'refused',
          why: `${found.why}: repair or remove it by hand`,
          retry: 'never',
        };
      }
      if (found.status === 'missing') {
        const why = `config ${head.name} is not there`;
        return { status: 'refused', why, retry: 'after-replan' };
      }
      return { status: 'ok', value: indexState(state, found.digestKey, disproved.of(state)) };
    },
    isSame: (before, now) => isSameSwarm(before.state, now.state, head.name),
    caller: (observed) => {
      const ids = new NamedIds(observed);
      return {
        call: async (call, signal) => {
          const complete = ids.complete(call);
          if (complete.status !== 'ok') return complete;
          const outcome = disproved.noted(call, await swarm.call(complete.value, signal));
          if (outcome.status === 'ok') ids.note(call, outcome.value.id);
          return veiledOutcome(call, outcome);
        },
      };
    },
  };
}

/** What an operator can do about an engine that gives no answer. */
function inWords({ why, cause }: Exclude<CallOutcome<unknown>, { status: 'ok' }>): string {
  switch (cause) {
    case 'unreachable':
      return `the engine does not answer (${why}): is it running, and is \`docker.socket\` its socket?`;
    case 'not-a-manager':
      return `this node is no manager of a Swarm: run the agent on one (${why})`;
    case 'no-leader':
      return `the Swarm has no leader now, it needs more than half of its managers (${why})`;
    case 'name-taken':
    case 'out-of-sequence':
    case 'held-back':
    case 'other-content':
    case undefined:
    default:
      return why;
  }
}

function registryIn({ TaskTemplate: { ContainerSpec } }: ServiceSpec): string | undefined {
  return registryOf(ContainerSpec.Image);
}

/** Which object carries a name: the observed ones, and those that this unit's earlier calls made. */
class NamedIds {
  readonly #observed: StackObserved;
  readonly #made = new Map<string, string>();

  constructor(observed: StackObserved) {
    this.#observed = observed;
  }

  note(call: StackCall, id: string): void {
    if (call.op === 'config-create') this.#made.set(`config ${call.name}`, id);
    if (call.op === 'secret-create') this.#made.set(`secret ${call.name}`, id);
  }

  /** Completes it with what the observation knows: ids, and whether the image comes from elsewhere than before. */
  complete(call: StackCall): CallOutcome<StackCall> {
    const named = this.#named(call);
    if (named.status !== 'ok' || named.value.op !== 'service-update') return named;
    const { body } = named.value;
    const before = this.#observed.services.get(body.Name.toLowerCase())?.spec;
    const isSame = before === undefined || registryIn(before) === registryIn(body);
    return isSame ? named : { status: 'ok', value: { ...named.value, otherRegistry: true } };
  }

  /** A spec names configs and secrets; the engine wants their ids too. */
  #named(call: StackCall): CallOutcome<StackCall> {
    if (call.op !== 'service-create' && call.op !== 'service-update') {
      return { status: 'ok', value: call };
    }
    const { ContainerSpec: container } = call.body.TaskTemplate;
    const missing = [
      ...(container.Configs ?? []).map(({ ConfigName }) => `config ${ConfigName}`),
      ...(container.Secrets ?? []).map(({ SecretName }) => `secret ${SecretName}`),
    ].find((name) => this.#idOf(name) === undefined);
    if (missing !== undefined) {
      return { status: 'refused', why: `${missing} is gone`, retry: 'after-replan' };
    }
    return { status: 'ok', value: { ...call, body: this.#withIds(call.body) } };
  }

  #withIds(body: ServiceSpec): ServiceSpec {
    const { ContainerSpec: container } = body.TaskTemplate;
    return {
      ...body,
      TaskTemplate: {
        ...body.TaskTemplate,
        ContainerSpec: {
          ...container,
          ...withCredential(container, (name) => this.#idOf(`config ${name}`) ?? name),
          ...(container.Configs && {
            Configs: container.Configs.map((one) => ({
              ...one,
              ConfigID: this.#idOf(`config ${one.ConfigName}`) ?? '',
            })),
          }),
          ...(container.Secrets && {
            Secrets: container.Secrets.map((one) => ({
              ...one,
              SecretID: this.#idOf(`secret ${one.SecretName}`) ?? '',
            })),
          }),
        },
      },
    };
  }

  #idOf(named: string): string | undefined {
    const made = this.#made.get(named);
    if (made !== undefined) return made;
    const at = named.indexOf(' ');
    const [noun, name] = [named.slice(0, at), named.slice(at + 1).toLowerCase()];
    const { configs, secrets } = this.#observed;
    return (noun === 'config' ? configs.get(name) : secrets.get(name))?.id;
  }
}

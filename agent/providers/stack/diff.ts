import type { Blocked, Difference, Operation, Rendered } from '../../core/kind.ts';
import type { ServiceSpec } from './engine-api.ts';
import type { Secret } from '../../core/secret.ts';
import { tooLargeNotes } from './explain/too-large.ts';
import { type BoundNames, boundSecrets, mountKey } from './bound-secrets.ts';
import { Lookups } from './lookups.ts';
import { memoOf } from './memo.ts';
import { fileObject, foreign, type Part } from './file-diff.ts';
import { diffNetwork } from './network-diff.ts';
import { NAMESPACE, PREDEFINED_NETWORKS, type StackObserved } from './observed.ts';
import { FROM_RECORD } from './release.ts';
import { diffService } from './service-diff.ts';
import { withCredential } from './credential-config.ts';
import { ignoredOf, standsStill, withLive } from './ignore.ts';
import type { StackSpec } from './spec.ts';
import { type FileObject, stackFiles } from './stack-files.ts';
import type { StackCall } from './swarm.ts';
import { veiledDifference, veiledNotes } from './veil.ts';

/**
 * Pure. What must be called so that the Swarm holds this stack. Nothing is ever removed here, and what belongs to
 * somebody else is `blocked`, never touched. Order: networks, configs, secrets (`add`), then services (`change`).
 * `made`: parts of the stack that may stand still by our own doing.
 */
export function diffStack(
  unit: Rendered<StackSpec>,
  observed: StackObserved,
  made: readonly string[] = [],
): Difference<StackCall> {
  const key = observed.digestKey;
  if (key === undefined) {
    const why = 'the head of this Swarm is not made yet';
    return { operations: [], blocked: [{ target: unit.id, why, waits: true }] };
  }
  const memo = memoOf(unit, key.reveal());
  const known = memo.nothing(made, observed);
  if (known !== undefined) return known;
  const lookups = new Lookups();
  const difference = compare(unit, lookups.of(observed), { key, made });
  if (difference.operations.length === 0 && difference.blocked.length === 0) {
    memo.noteNothing(made, { difference, lookups });
  }
  return difference;
}

function compare(
  unit: Rendered<StackSpec>,
  observed: StackObserved,
  { key, made }: { readonly key: Secret; readonly made: readonly string[] },
): Difference<StackCall> {
  const { spec } = unit;
  const { configs, secrets } = stackFiles(unit, observed, key);
  const names = { configs: renamed(configs), secrets: renamed(secrets) };
  const parts = [
    needs(unit, observed),
    networks(spec, observed),
    ...configs.map(fileObject),
    ...secrets.map(fileObject),
    ...services(unit, observed, names, made),
  ];
  const notes = [
    ...veiledNotes(
      spec,
      parts.flatMap((part) => part.notes ?? []),
    ),
    ...leftBehind(unit, observed),
    ...veiledNotes(spec, tooLargeNotes(spec, observed)),
  ];
  return veiledDifference(spec, {
    operations: parts.flatMap(({ operations }) => operations),
    blocked: parts.flatMap(({ blocked }) => blocked),
    ...(notes.length === 0 ? {} : { notes }),
  });
}

const WHEN_HEALTHY =
  'what was deployed from it goes once the stack is healthy, else remove it by hand';

/**
 * Services of the stack that its file does not have: nothing is removed here, but nobody should forget them. What a healthy
 * release does not have may well be in the file.
 */
function leftBehind(unit: Rendered<StackSpec>, observed: StackObserved): readonly string[] {
  const { spec } = unit;
  const wanted = new Set(Object.values(spec.services).map(({ Name }) => Name));
  return (observed.serviceNames.get(spec.name) ?? [])
    .filter((name) => !wanted.has(name))
    .toSorted()
    .map((name) =>
      unit.place === FROM_RECORD
        ? `service ${name} is not part of the healthy release: it is left as it is`
        : `service ${name} is not in the repository: ${spec.prune === false ? 'remove it by hand, or take `prune: false` out' : WHEN_HEALTHY}`,
    );
}

function needs(unit: Rendered<StackSpec>, observed: StackObserved): Part {
  const missing = unit.needs.filter((need) => {
    const at = need.indexOf(':');
    const name = need.slice(at + 1).toLowerCase();
    switch (need.slice(0, at)) {
      case 'network':
        return !PREDEFINED_NETWORKS.has(name) && !observed.networks.has(name);
      case 'config':
        return !observed.configs.has(name);
      case 'secret':
        return !observed.secrets.has(name) && !observed.families.has(name);
      default:
        return true;
    }
  });
  const because =
    unit.place === FROM_RECORD ? 'is part of the healthy release' : 'is declared as external';
  const blocked = missing.map((need) => ({
    target: need,
    why: `${need.replace(':', ' ')} ${because} and is not in this Swarm`,
    waits: true,
  }));
  return { operations: [], blocked };
}

function networks(spec: StackSpec, observed: StackObserved): Part {
  const operations: Operation<StackCall>[] = [];
  const blocked: Blocked[] = [];
  const notes: string[] = [];
  for (const body of Object.values(spec.networks)) {
    const target = `network ${body.Name}`;
    const there = observed.networks.get(body.Name.toLowerCase());
    if (there === undefined) {
      const call: StackCall = { op: 'network-create', body };
      operations.push({ target, verb: 'create', phase: 'add', effect: 'none', fields: [], call });
    } else if (there.labels[NAMESPACE] !== spec.name) {
      blocked.push(foreign(target, there.labels[NAMESPACE]));
    } else {
      const difference = diffNetwork(target, body, there);
      blocked.push(...difference.blocked);
      notes.push(...difference.notes);
    }
  }
  return { operations, blocked, notes };
}

/** Names that configs or secrets of the stack carry now: plain name in the spec -> name in the Swarm. */
type Renamed = ReadonlyMap<string, string>;

function renamed(objects: readonly FileObject[]): Renamed {
  return new Map(objects.map(({ plain, chosen }) => [plain, chosen.name]));
}

interface Names {
  readonly configs: Renamed;
  readonly secrets: Renamed;
  /** Of passwords of accounts. */
  readonly bound: BoundNames;
}

function services(
  unit: Rendered<StackSpec>,
  observed: StackObserved,
  own: Omit<Names, 'bound'>,
  made: readonly string[],
): Part[] {
  const { spec, place } = unit;
  return Object.entries(spec.services).map(([key, written]) => {
    const target = `service ${written.Name}`;
    const there = observed.services.get(written.Name.toLowerCase());
    const { names: bound, unbound } = boundSecrets(unit, written, observed, own.secrets);
    if (unbound.length > 0) return { operations: [], blocked: unbound };
    const names = { ...own, bound };
    if (there === undefined) {
      const call: StackCall = { op: 'service-create', body: withNames(written, names) };
      return {
        operations: [{ target, verb: 'create', phase: 'change', effect: 'none', fields: [], call }],
        blocked: [],
      };
    }
    const owner = there.spec.Labels?.[NAMESPACE];
    if (owner !== spec.name) return { operations: [], blocked: [foreign(target, owner)] };
    const ignored = ignoredOf(spec, key);
    const stopped = made.includes(target) && standsStill(there.spec);
    const isLeft = ignored !== undefined && !stopped;
    const plain = isLeft ? withLive(written, there.spec, ignored) : written;
    const desired = withNames(plain, names);
    const exact = place === FROM_RECORD;
    const hidden = spec.hidden?.[key];
    const wanted = { path: `services.${key}`, target, desired, exact, hidden };
    return diffService(wanted, there, observed);
  });
}

/** Configs and secrets under the names that they carry in the Swarm. */
function withNames(plain: ServiceSpec, names: Names): ServiceSpec {
  const { ContainerSpec: container } = plain.TaskTemplate;
  return {
    ...plain,
    TaskTemplate: {
      ...plain.TaskTemplate,
      ContainerSpec: {
        ...container,
        ...withCredential(container, (name) => names.configs.get(name) ?? name),
        ...(container.Configs && {
          Configs: container.Configs.map((one) => ({
            ...one,
            ConfigName: names.configs.get(one.ConfigName) ?? one.ConfigName,
          })),
        }),
        ...(container.Secrets && {
          Secrets: container.Secrets.map((one) => ({
            ...one,
            SecretName:
              names.bound.get(mountKey(one)) ?? names.secrets.get(one.SecretName) ?? one.SecretName,
          })),
        }),
      },
    },
  };
}

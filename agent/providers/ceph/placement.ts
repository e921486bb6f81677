import type { Command } from './commands.ts';
import type { ClusterSeen, ObservedCrush, ObservedPool, SimpleRule } from './observed.ts';
import type { PoolSpec } from './spec.ts';
import type { Obstacle } from './unit-parts.ts';

/** Where a pool is to lie, with what has to be made for that first. */
export interface Placement {
  readonly rule: string;
  /** Of an erasure coded pool that is to be made. */
  readonly profile?: string;
  readonly commands: readonly Command[];
}

export type Placed = Placement | Obstacle;

type Crush = Pick<ClusterSeen, 'rules' | 'profiles' | 'crush'>;

const USUAL = { root: 'default', failureDomain: 'host' } as const;

/** Pure. How many places a pool takes: one for each copy or chunk. */
export function placesOf({ replicated, erasureCoded }: PoolSpec): number {
  if (erasureCoded !== undefined) return erasureCoded.dataChunks + erasureCoded.codingChunks;
  return replicated?.size ?? 0;
}

/** Pure. Where a new pool lies. */
export function newPlacement(spec: PoolSpec, seen: Crush): Placed {
  if (spec.erasureCoded === undefined) return ruleOf(spec, seen);
  const profile = profileName(ruleName(spec.name, ownRule(spec)), spec);
  const content = profileOf(spec, ownRule(spec));
  const made = profileCommands(profile, content, seen);
  if ('why' in made) return made;
  const placed = ruleOf(spec, seen, profile);
  if ('why' in placed) return placed;
  return { ...placed, profile, commands: [...made, ...placed.commands] };
}

/** Pure. Where a pool goes that lies elsewhere; undefined: it lies as is declared. What is not declared may be anything. */
export function nextPlacement(spec: PoolSpec, live: ObservedPool, seen: Crush): Placed | undefined {
  const { crushRule, failureDomain, deviceClass, crushRoot } = spec;
  if (crushRule !== undefined) return crushRule === live.rule ? undefined : ruleOf(spec, seen);
  const declared = [failureDomain, deviceClass, crushRoot].filter((one) => one !== undefined);
  if (declared.length === 0) return undefined;
  const now = seen.rules.get(live.rule)?.simple;
  if (now === undefined) {
    const why = `its rule \`${live.rule}\` says more than where copies lie apart: name it with \`crushRule\``;
    return { why };
  }
  const isThere =
    now.root === (crushRoot ?? now.root) &&
    now.failureDomain === (failureDomain ?? now.failureDomain) &&
    now.deviceClass === (deviceClass ?? now.deviceClass);
  if (isThere) return undefined;
  // What is not declared stays as it is.
  const next = { failureDomain: now.failureDomain, crushRoot: now.root, ...withoutHoles(spec) };
  const kept = next.deviceClass ?? now.deviceClass;
  const whole = { ...next, ...(kept !== undefined && { deviceClass: kept }) };
  if (spec.erasureCoded === undefined) return ruleOf(whole, seen);
  const rule = ownRule(whole);
  // The pool keeps its own profile for life: this one is for making the rule, and nothing else.
  const profile = profileName(ruleName(spec.name, rule), spec);
  const made = profileCommands(profile, profileOf(whole, rule), seen);
  if ('why' in made) return made;
  const placed = ruleOf(whole, seen, profile);
  return 'why' in placed ? placed : { ...placed, commands: [...made, ...placed.commands] };
}

function withoutHoles(spec: PoolSpec): PoolSpec {
  const { failureDomain, crushRoot, deviceClass, ...rest } = spec;
  return {
    ...rest,
    ...(failureDomain !== undefined && { failureDomain }),
    ...(crushRoot !== undefined && { crushRoot }),
    ...(deviceClass !== undefined && { deviceClass }),
  };
}

function ownRule({ failureDomain, crushRoot, deviceClass }: PoolSpec): SimpleRule {
  return {
    root: crushRoot ?? USUAL.root,
    failureDomain: failureDomain ?? USUAL.failureDomain,
    ...(deviceClass !== undefined && { deviceClass }),
  };
}

/** Pure. What we call the rule of a pool that nobody named one for. */
export function ruleName(pool: string, { root, failureDomain, deviceClass }: SimpleRule): string {
  const device = deviceClass === undefined ? '' : `_${deviceClass}`;
  const below = root === USUAL.root ? '' : `_in_${root}`;
  return `${pool}_${failureDomain}${device}${below}`;
}

/** `profile`: from which a rule for chunks is made. */
function ruleOf(spec: PoolSpec, seen: Crush, profile?: string): Placed {
  const type = spec.erasureCoded === undefined ? 'replicated' : 'erasure';
  const { crushRule } = spec;
  const wanted = ownRule(spec);
  const rule = crushRule ?? ruleName(spec.name, wanted);
  const known = seen.rules.get(rule);
  if (known !== undefined && known.type !== type) {
    return { why: `the rule \`${rule}\` is for ${known.type} pools` };
  }
  if (crushRule !== undefined) {
    if (known === undefined) return { why: `there is no rule \`${rule}\` yet`, waits: true };
    const why = known.simple && placementProblem(known.simple, placesOf(spec), seen.crush);
    return why === undefined ? { rule, commands: [] } : { why };
  }
  const why = placementProblem(wanted, placesOf(spec), seen.crush);
  if (why !== undefined) return { why };
  if (known === undefined) return { rule, commands: [ruleCommand(rule, wanted, profile)] };
  if (known.simple !== undefined && isSameRule(known.simple, wanted)) return { rule, commands: [] };
  return {
    why: `there is a rule \`${rule}\` already that places data otherwise: rename it, or name it with \`crushRule\``,
  };
}

/** Pure. */
export function isSameRule(one: SimpleRule, other: SimpleRule): boolean {
  return (
    one.root === other.root &&
    one.failureDomain === other.failureDomain &&
    one.deviceClass === other.deviceClass
  );
}

/** Pure. What makes a rule; one for chunks is made from a profile. */
export function ruleCommand(name: string, rule: SimpleRule, profile?: string): Command {
  if (profile !== undefined) {
    return { prefix: 'osd crush rule create-erasure', name, profile };
  }
  const { root, failureDomain: type, deviceClass } = rule;
  return {
    prefix: 'osd crush rule create-replicated',
    name,
    root,
    type,
    ...(deviceClass !== undefined && { class: deviceClass }),
  };
}

/** Pure. Why data cannot lie like that; `needed`: in so many places. */
export function placementProblem(
  { root, failureDomain, deviceClass }: SimpleRule,
  needed: number,
  { types, deviceClasses, below }: ObservedCrush,
): string | undefined {
  if (!types.has(failureDomain)) {
    return `there is no type \`${failureDomain}\` to lie apart by: there are ${listed(types)}`;
  }
  if (!below.has(root)) return `there is no bucket \`${root}\` to begin with`;
  if (deviceClass !== undefined && !deviceClasses.has(deviceClass)) {
    const known = deviceClasses.size === 0 ? 'none' : listed(deviceClasses);
    return `there is no device of class \`${deviceClass}\`: there are ${known}`;
  }
  const from = deviceClass === undefined ? root : `${root}~${deviceClass}`;
  const count = below.get(from)?.get(failureDomain) ?? 0;
  if (count >= needed) return undefined;
  const devices = deviceClass === undefined ? '' : ` with devices of class \`${deviceClass}\``;
  return `below \`${root}\` there are ${String(count)} of type \`${failureDomain}\`${devices}, and ${String(needed)} are needed`;
}

function listed(words: ReadonlySet<string>): string {
  return [...words]
    .toSorted()
    .map((word) => `\`${word}\``)
    .join(', ');
}

/** With what decides: one that is left over from a document with other numbers is in nobody's way. */
function profileName(base: string, { erasureCoded }: PoolSpec): string {
  const { dataChunks = 0, codingChunks = 0, algorithm = '' } = erasureCoded ?? {};
  return `${base}_${String(dataChunks)}_${String(codingChunks)}_${algorithm}_profile`;
}

/** Only what is declared: monitors fill in the rest, and that is not compared. Empty: it must not be there. */
function profileOf({ erasureCoded }: PoolSpec, rule: SimpleRule): ReadonlyMap<string, string> {
  const { dataChunks = 0, codingChunks = 0, algorithm = '' } = erasureCoded ?? {};
  return new Map([
    ['k', String(dataChunks)],
    ['m', String(codingChunks)],
    ['plugin', algorithm],
    ['crush-root', rule.root],
    ['crush-failure-domain', rule.failureDomain],
    ['crush-device-class', rule.deviceClass ?? ''],
  ]);
}

function profileCommands(
  name: string,
  content: ReadonlyMap<string, string>,
  { profiles }: Pick<Crush, 'profiles'>,
): readonly Command[] | Obstacle {
  const known = profiles.get(name);
  if (known === undefined) {
    const profile = [...content].flatMap(([key, value]) =>
      value === '' ? [] : [`${key}=${value}`],
    );
    return [{ prefix: 'osd erasure-code-profile set', name, profile }];
  }
  const differs = [...content].find(([key, value]) => (known.get(key) ?? '') !== value);
  if (differs === undefined) return [];
  const [key, value] = differs;
  return {
    why: `there is a profile \`${name}\` already with \`${key}=${known.get(key) ?? ''}\` and not \`${value}\`: profiles do not change, so remove it if nothing uses it, or give the pool another name`,
  };
}

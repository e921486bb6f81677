import type { Step } from './call.ts';
import { isSameRule, placementProblem, ruleCommand } from './placement.ts';
import type { ClusterSeen, ObservedRule, SimpleRule } from './observed.ts';
import type { RuleSpec } from './spec.ts';
import {
  type Diff,
  fieldOf,
  hold,
  type Obstacle,
  type One,
  operationOf,
  ownerProblem,
} from './unit-parts.ts';

const ANOTHER = 'rules do not change: give it another name, and name that one in the pool';

/** Pure. What separates a rule from its document. */
export function diffRule(one: One<RuleSpec>): Diff {
  const { spec, seen } = one;
  const live = seen.rules.get(spec.name);
  const taken = ownerProblem(one, live);
  if (taken !== undefined) return hold(spec, [{ why: taken }]);
  const wanted = wantedRule(spec);
  if (live !== undefined) {
    const why = differs(spec, wanted, live);
    return why === undefined
      ? operationOf(one, live, { steps: [], fields: [] })
      : hold(spec, [{ why: `${why}, and ${ANOTHER}` }]);
  }
  const obstacle = obstacleTo(spec, wanted, seen);
  if (obstacle !== undefined) return hold(spec, [obstacle]);
  const steps: readonly Step[] = [
    { check: 'absent', words: { prefix: 'osd crush rule dump', name: spec.name } },
    ruleCommand(spec.name, wanted, profileOf(spec)),
  ];
  const fields = [
    fieldOf('root', undefined, wanted.root),
    fieldOf('failureDomain', undefined, wanted.failureDomain),
    ...(wanted.deviceClass === undefined
      ? []
      : [fieldOf('deviceClass', undefined, wanted.deviceClass)]),
  ];
  return operationOf(one, undefined, { steps, fields });
}

function wantedRule({ root, failureDomain, deviceClass }: RuleSpec): SimpleRule {
  return { root, failureDomain, ...(deviceClass !== undefined && { deviceClass }) };
}

function profileOf({ type, erasureProfile }: RuleSpec): string | undefined {
  return type === 'erasure' ? erasureProfile : undefined;
}

function differs(
  { type }: RuleSpec,
  wanted: SimpleRule,
  { type: is, simple }: ObservedRule,
): string | undefined {
  if (type !== is) return `it is for ${is} pools`;
  if (simple === undefined) return 'it says more than where copies lie apart';
  if (isSameRule(simple, wanted)) return undefined;
  return `it places data by ${placeWords(simple)}`;
}

function placeWords({ root, failureDomain, deviceClass }: SimpleRule): string {
  const devices = deviceClass === undefined ? '' : ` on devices of class \`${deviceClass}\``;
  return `\`${failureDomain}\` below \`${root}\`${devices}`;
}

function obstacleTo(
  spec: RuleSpec,
  wanted: SimpleRule,
  { crush, profiles }: ClusterSeen,
): Obstacle | undefined {
  const why = placementProblem(wanted, 1, crush);
  if (why !== undefined) return { why };
  if (spec.type === 'replicated') return undefined;
  const { erasureProfile } = spec;
  if (erasureProfile === undefined) {
    return { why: 'a rule for chunks is made from a profile: name it with `erasureProfile`' };
  }
  const profile = profiles.get(erasureProfile);
  if (profile === undefined) {
    return { why: `there is no profile \`${erasureProfile}\` yet`, waits: true };
  }
  return profileObstacle(erasureProfile, profile, wanted);
}

/** The profile says where chunks lie, whatever else the command for the rule is told. */
function profileObstacle(
  name: string,
  profile: ReadonlyMap<string, string>,
  { root, failureDomain, deviceClass = '' }: SimpleRule,
): Obstacle | undefined {
  const said: readonly (readonly [string, string, string])[] = [
    ['crush-root', 'default', root],
    ['crush-failure-domain', 'host', failureDomain],
    ['crush-device-class', '', deviceClass],
  ];
  const other = said.find(([key, usual, wanted]) => (profile.get(key) ?? usual) !== wanted);
  if (other === undefined) return undefined;
  const [key, usual, wanted] = other;
  return {
    why: `the profile \`${name}\` says \`${key}=${profile.get(key) ?? usual}\` and not \`${wanted}\`, and the rule is made by that`,
  };
}

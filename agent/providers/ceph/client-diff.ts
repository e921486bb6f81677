import { globFits } from '../../core/glob.ts';
import type { FieldDiff } from '../../core/kind.ts';
import type { Step } from './call.ts';
import { type Caps, capsList, normalised, wantedCaps } from './client-caps.ts';
import type { ObservedClient } from './observed.ts';
import type { ClientSpec } from './spec.ts';
import { type Diff, fieldOf, hold, type One, operationOf, ownerProblem } from './unit-parts.ts';

/** Which clients an agent touches. */
export interface ClientRules {
  /** As whom the agent itself comes: `client.understudy`. */
  readonly self: string;
  /** `client.site-*` */
  readonly pattern: string;
}

/** What rules everything, and what daemons are made with. */
const THEIRS = /^client\.(?:admin|bootstrap-.*|crash(?:\..*)?|rgw\..*|nfs\..*|iscsi\..*)$/;

/** Pure. Why the agent leaves a client alone, whatever a document says. */
export function clientProblem(entity: string, { self, pattern }: ClientRules): string | undefined {
  if (entity === self) return 'the agent itself comes by that name';
  if (THEIRS.test(entity)) return 'it is a client of Ceph itself';
  if (globFits(pattern, entity)) return undefined;
  return `the agent's settings let it touch \`${pattern}\` alone (\`clientPattern\`)`;
}

/** Pure. What separates a client from its document. Its key is never changed, and only made by Ceph. */
export function diffClient(one: One<ClientSpec>, rules: ClientRules): Diff {
  const { spec, seen } = one;
  const entity = `client.${spec.name}`;
  const problem = clientProblem(entity, rules);
  if (problem !== undefined) return hold(spec, [{ why: problem }]);
  if (seen.clients === undefined) {
    return hold(spec, [seen.clientsUnread ?? { why: 'it was not looked at', waits: true }]);
  }
  const live = seen.clients.get(entity);
  const taken = ownerProblem(one, live);
  if (taken !== undefined) return hold(spec, [{ why: taken }]);
  const caps = wantedCaps(spec);
  if (typeof caps === 'string') return hold(spec, [{ why: caps }]);
  const fields = capFields(caps, live);
  if (live !== undefined && fields.length === 0) {
    return operationOf(one, live, { steps: [], fields });
  }
  const words = { entity, caps: capsList(caps) };
  const steps: readonly Step[] =
    live === undefined
      ? [
          { check: 'absent', words: { prefix: 'auth get', entity } },
          { prefix: 'auth get-or-create', ...words },
        ]
      : [{ prefix: 'auth caps', ...words }];
  return operationOf(one, live, { steps, fields });
}

function capFields(wanted: Caps, live: ObservedClient | undefined): readonly FieldDiff[] {
  const now = live?.caps ?? new Map<string, string>();
  const services = new Set([...wanted.keys(), ...now.keys()]);
  return [...services].toSorted().flatMap((service) => {
    const is = now.get(service);
    const next = wanted.get(service);
    if (is !== undefined && next !== undefined && normalised(is) === next) return [];
    return [fieldOf(`caps.${service}`, is, next)];
  });
}

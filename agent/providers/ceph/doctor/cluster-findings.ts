import { type Finding, namesInWords } from '../../../core/finding.ts';
import { capsRisk } from '../caps-risk.ts';
import { idsOf } from '../marks.ts';
import { namedBy } from '../named.ts';
import type { ClusterSeen, HealthCheck } from '../observed.ts';

/** Pure. What of a cluster is trouble for what is declared there. `owner`: the environment. */
export function judgeCluster(where: string, seen: ClusterSeen, owner: string): readonly Finding[] {
  return [
    ...[...seen.health.checks].flatMap(([code, check]) => healthFinding(where, code, check)),
    ...pools(where, seen, owner),
    ...clients(where, seen, owner),
  ];
}

function healthFinding(where: string, code: string, check: HealthCheck): readonly Finding[] {
  if (check.muted) return [];
  return [
    {
      severity: check.severity === 'HEALTH_ERR' ? 'critical' : 'warning',
      code: 'ceph-health',
      where,
      what: `${code}: ${check.summary}`,
      why: 'what moves data waits until the cluster is healthy',
      advice: 'see what Ceph says of it',
      command: 'ceph health detail',
    },
  ];
}

function ours(seen: ClusterSeen, owner: string, what: string): readonly string[] {
  return idsOf(seen, owner).flatMap((id) => {
    const named = namedBy(id);
    return named?.what === what ? [named.names.join('/')] : [];
  });
}

function pools(where: string, seen: ClusterSeen, owner: string): readonly Finding[] {
  const all = ours(seen, owner, 'ceph-pool').flatMap((name) => {
    const pool = seen.pools.get(name);
    return pool === undefined ? [] : [{ name, pool }];
  });
  const open = all.filter(({ pool }) => !pool.flags.has('nodelete')).map(({ name }) => name);
  const few = all.filter(
    ({ pool }) => pool.type === 'replicated' && (pool.size < 3 || pool.minSize < 2),
  );
  return [
    ...(open.length === 0
      ? []
      : [
          {
            severity: 'warning' as const,
            code: 'ceph-pool-open',
            where,
            what: `pools of ours without \`nodelete\`: ${namesInWords(open)}`,
            why: 'a person with every right deletes them with one command',
            advice: 'the agent sets it with its next change of them; or set it now',
            command: `ceph osd pool set ${open[0] ?? ''} nodelete true`,
          },
        ]),
    ...(few.length === 0
      ? []
      : [
          {
            severity: 'note' as const,
            code: 'ceph-pool-few-copies',
            where,
            what: `pools of ours with fewer than three copies, or written with one: ${namesInWords(few.map(({ name }) => name))}`,
            why: 'a disk that breaks while another one is away takes data with it',
            advice: 'write `size: 3` and `minSize: 2` in their documents',
          },
        ]),
  ];
}

function clients(where: string, seen: ClusterSeen, owner: string): readonly Finding[] {
  const risky = ours(seen, owner, 'ceph-client').flatMap((name) => {
    const caps = seen.clients?.get(`client.${name}`)?.caps ?? new Map<string, string>();
    const found = [...caps].map(([service, text]) => capsRisk(service, text));
    return found.some((one) => one !== undefined) ? [`client.${name}`] : [];
  });
  if (risky.length === 0) return [];
  return [
    {
      severity: 'warning',
      code: 'ceph-client-all-rights',
      where,
      what: `clients of ours that may do everything: ${namesInWords(risky)}`,
      why: 'whoever has such a key has the cluster',
      advice: 'give them caps for what they use, or `subvolumes`',
    },
  ];
}

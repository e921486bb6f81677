import { type Finding, namesInWords } from '../../../core/finding.ts';
import { capsRisk } from '../caps-risk.ts';
import { idsOf } from '../marks.ts';
import { namedBy } from '../named.ts';
import type { ClusterSeen, HealthCheck } from '../observed.ts';
import { poolFindings } from './pool-findings.ts';

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
  return poolFindings(where, all, seen.profiles);
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

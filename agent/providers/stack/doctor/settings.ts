import { X509Certificate } from 'node:crypto';

import { type Finding, namesInWords } from '../../../core/finding.ts';
import { isEnded, tasksWanted } from './addresses.ts';
import type { Inspection } from './inspection.ts';

const DAY_MS = 86_400_000;
const ROOT_SOON_MS = 90 * DAY_MS;
const ROOT_NOW_MS = 14 * DAY_MS;
/** Shorter ones are renewed so often that a long outage of the managers outlasts them. */
const CERTIFICATE_MIN_MS = 7 * DAY_MS;
const HISTORY_MAX = 20;
/** The lists that the engine reads at once grow with them. */
const TASKS_MAX = 10_000;
const SNAPSHOT_INTERVAL_MAX = 100_000;
const OLD_SNAPSHOTS_MAX = 10;
const SLOW_FOLLOWER_MIN = 100;
/** What etcd's raft asks for, which the engine uses. */
const TICKS_MIN = 10;
const HEARTBEAT_MAX_MS = 30_000;

/** Pure. Certificates, the raft's settings, and how much history is kept. */
export function settingFindings(inspection: Inspection, nowMs: number): readonly Finding[] {
  return [...certificates(inspection, nowMs), ...raft(inspection), ...history(inspection)];
}

function certificates({ settings, nodes }: Inspection, nowMs: number): readonly Finding[] {
  const { certificateMs, rootRotates, trustRoot } = settings;
  const where = 'the certificates';
  const findings: Finding[] = [];
  const end = endOfRoot(trustRoot);
  const leftMs = end === undefined ? Number.POSITIVE_INFINITY : end.getTime() - nowMs;
  if (end !== undefined && leftMs < Math.max(ROOT_SOON_MS, certificateMs)) {
    findings.push({
      severity: leftMs < ROOT_NOW_MS ? 'critical' : 'warning',
      code: 'root-certificate',
      what: `the certificate of the Swarm's own authority ends at ${end.toISOString().slice(0, 16)}Z`,
      where,
      why: 'no node gets a certificate that lasts longer, and without one none can take part',
      advice: 'rotate it while all nodes are there',
      command: 'docker swarm ca --rotate',
    });
  }
  if (rootRotates) {
    const old = nodes.filter((node) => node.trustRoot !== trustRoot).map(({ name }) => name);
    findings.push({
      severity: 'warning',
      code: 'root-rotation',
      what: "a rotation of the Swarm's own authority is under way",
      where,
      why:
        old.length > 0
          ? `it ends when every node has the new one; these do not: ${namesInWords(old)}`
          : 'it ends when every node has a certificate of the new one',
      advice: 'if it does not end, bring back the nodes that are away, or remove them',
      command: 'docker node ls',
    });
  } else {
    const other = nodes.filter((node) => node.trustRoot !== '' && node.trustRoot !== trustRoot);
    if (trustRoot !== '' && other.length > 0) {
      findings.push({
        severity: 'warning',
        code: 'root-differs',
        what: `${namesInWords(other.map(({ name }) => name))} trusts another authority than the Swarm has`,
        where,
        why: 'a node that was away during a rotation cannot come back by itself',
        advice: 'let it leave and join anew',
        command: 'docker swarm join-token worker',
      });
    }
  }
  if (certificateMs < CERTIFICATE_MIN_MS) {
    findings.push({
      severity: 'warning',
      code: 'certificates-short',
      what: `a node's certificate lasts ${inHours(certificateMs)}`,
      where,
      why: 'a node that is away for longer, or a Swarm without a leader, cannot renew it: it has to join anew',
      advice: 'let them last for some weeks; the usual is 90 days',
      command: 'docker swarm update --cert-expiry 2160h0m0s',
    });
  }
  return findings;
}

function endOfRoot(pem: string) {
  if (pem === '') return undefined;
  try {
    return new X509Certificate(pem).validToDate;
  } catch {
    return undefined;
  }
}

function inHours(ms: number): string {
  return `${String(Math.round(ms / 3_600_000))} hours`;
}

interface Rule {
  readonly wrong: boolean;
  readonly what: string;
  readonly why: string;
  readonly command?: string;
}

function raft({ settings }: Inspection): readonly Finding[] {
  const { raft: set, heartbeatMs } = settings;
  const rules: readonly Rule[] = [
    {
      wrong: set.snapshotInterval > SNAPSHOT_INTERVAL_MAX,
      what: `a snapshot is made every ${String(set.snapshotInterval)} entries`,
      why: 'until then the log grows, on disk and in memory, and a manager that starts reads all of it',
      command: 'docker swarm update --snapshot-interval 10000',
    },
    {
      wrong: set.keepOldSnapshots > OLD_SNAPSHOTS_MAX,
      what: `${String(set.keepOldSnapshots)} old snapshots are kept`,
      why: 'each holds all that the Swarm knows, configs and secrets included',
      command: 'docker swarm update --max-snapshots 0',
    },
    {
      wrong: set.slowFollowerEntries < SLOW_FOLLOWER_MIN,
      what: `${String(set.slowFollowerEntries)} entries are kept for slow managers`,
      why: 'a manager that was away for a moment needs a whole snapshot to follow again',
    },
    {
      wrong: set.electionTick < TICKS_MIN * set.heartbeatTick,
      what: `an election begins after ${String(set.electionTick)} ticks, a heartbeat comes every ${String(set.heartbeatTick)}`,
      why: 'a busy leader is taken for dead: ten times as many are asked for',
    },
    {
      wrong: heartbeatMs > HEARTBEAT_MAX_MS,
      what: `nodes are asked every ${String(heartbeatMs / 1000)} s`,
      why: 'a dead node is noticed after two or three of these, and its tasks are started elsewhere only then',
      command: 'docker swarm update --dispatcher-heartbeat 5s',
    },
  ];
  return rules
    .filter(({ wrong }) => wrong)
    .map(({ what, why, command }) => ({
      severity: 'warning',
      code: 'raft-settings',
      what,
      where: 'the settings of the Swarm',
      why,
      advice: 'go back to what a new Swarm has',
      ...(command !== undefined && { command }),
    }));
}

function history({ settings, services, nodes, tasks }: Inspection): readonly Finding[] {
  const { historyLimit } = settings;
  const places = services.reduce((sum, one) => sum + tasksWanted(one, nodes.length), 0);
  const ended = tasks.filter(isEnded).length;
  const counted = `${String(tasks.length)} tasks are kept, ${String(ended)} of them ended`;
  if (historyLimit < 0 || historyLimit > HISTORY_MAX || tasks.length > TASKS_MAX) {
    const limit = historyLimit < 0 ? 'all of them' : `up to ${String(historyLimit)} for each place`;
    return [
      {
        severity: 'warning',
        code: 'task-history',
        what: `${counted}; ended ones are kept ${limit}`,
        where: 'the settings of the Swarm',
        why: 'every one of them is in the raft and in every list that is read; answers above 4 MB between managers fail',
        advice: 'keep few: the agent takes the evidence of a failure when it sees it',
        command: 'docker swarm update --task-history-limit 5',
      },
    ];
  }
  const most = places * (historyLimit + 1);
  if (ended <= Math.max(100, most)) return [];
  return [
    {
      severity: 'note',
      code: 'task-history',
      what: `${counted}; for ${String(places)} places ${String(most)} would be expected`,
      where: 'the settings of the Swarm',
      why: 'ended tasks of jobs and of services that are gone stay for a while',
      advice: 'nothing, unless it keeps growing',
    },
  ];
}

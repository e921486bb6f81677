import { type Finding, namesInWords } from '../../../core/finding.ts';
import type { Inspection, SwarmNode } from './inspection.ts';

/** More managers than this make every write slower and nothing safer. */
const MANAGERS_MAX = 7;

/** Pure. How many managers may still be lost, and what stands with the nodes. */
export function managerFindings({ nodes }: Inspection, nowMs: number): readonly Finding[] {
  const managers = nodes.filter(({ role }) => role === 'manager');
  return [
    ...quorum(managers),
    ...nodes.flatMap((node) => standing(node, nowMs)),
    ...versions(nodes),
  ];
}

function quorum(managers: readonly SwarmNode[]): readonly Finding[] {
  const total = managers.length;
  const lost = managers.filter(({ reachability, state }) => {
    return reachability !== 'reachable' || state === 'down';
  });
  const needed = Math.floor(total / 2) + 1;
  const margin = total - lost.length - needed;
  const where = 'the managers';
  const counted = `${String(total - lost.length)} of ${String(total)} managers are reachable, ${String(needed)} are needed`;
  const findings: Finding[] = [];
  if (lost.length > 0) {
    findings.push({
      severity: margin <= 0 ? 'critical' : 'warning',
      code: 'quorum-margin',
      what: `${counted}: ${margin <= 0 ? 'the loss of one more stops the Swarm' : `${String(margin)} more may be lost`}`,
      where,
      why: `${namesInWords(lost.map(({ name }) => name))} cannot be reached; without a quorum nothing can be changed and nothing that dies is started again`,
      advice:
        'bring it back; only if it is lost for good, take it out of the managers and make another node a manager',
      command: lost.map(({ id }) => `docker node demote ${id}`).join('; '),
    });
  }
  if (total % 2 === 0) {
    findings.push({
      severity: 'warning',
      code: 'managers-even',
      what: `${String(total)} managers bear the loss of no more of them than ${String(total - 1)} do`,
      where,
      why: `of ${String(total)} managers ${String(needed)} must be there: the last one only adds something that can fail`,
      advice: 'have an odd number of managers: make one more node a manager, or one fewer',
      command: 'docker node promote NODE',
    });
  }
  if (total === 1) {
    findings.push({
      severity: 'warning',
      code: 'managers-few',
      what: 'there is one manager only: its loss stops the Swarm',
      where,
      why: 'nothing that dies is started again without it, and what the Swarm knows is on its disk alone',
      advice: 'have three managers',
      command: 'docker node promote NODE',
    });
  }
  if (total > MANAGERS_MAX) {
    findings.push({
      severity: 'note',
      code: 'managers-many',
      what: `there are ${String(total)} managers`,
      where,
      why: 'each of them takes part in every write: more than seven make it slower and hardly safer',
      advice: 'make some of them workers',
      command: 'docker node demote NODE',
    });
  }
  return findings;
}

function standing(node: SwarmNode, nowMs: number): readonly Finding[] {
  const { id, name, state, message, availability, updatedMs } = node;
  const where = `node ${name}`;
  if (state !== 'ready') {
    const said = message === '' ? '' : ` (${message})`;
    return [
      {
        severity: 'warning',
        code: 'node-down',
        what: `it is ${state}${said} for ${inMinutes(nowMs - updatedMs)}`,
        where,
        why: 'its tasks are started elsewhere, and its own copies may still run there; a node that is away for longer than its certificate lasts has to join anew',
        advice: 'look at its engine and its network; one that is gone for good can be removed',
        command: `docker node rm --force ${id}`,
      },
    ];
  }
  if (availability === 'active') return [];
  return [
    {
      severity: 'note',
      code: 'node-not-active',
      what: `its availability is ${availability}`,
      where,
      why:
        availability === 'drain'
          ? 'it runs no task: right for a manager that shall only manage, and easily forgotten after a repair'
          : 'it keeps what it has and gets no new task: easily forgotten after a repair',
      advice: 'if that is not what you want, make it active',
      command: `docker node update --availability active ${id}`,
    },
  ];
}

function versions(nodes: readonly SwarmNode[]): readonly Finding[] {
  const groups = Map.groupBy(
    nodes.filter(({ engineVersion }) => engineVersion !== ''),
    ({ engineVersion }) => engineVersion,
  );
  if (groups.size < 2) return [];
  const said = [...groups].map(
    ([version, those]) => `${version} on ${namesInWords(those.map(({ name }) => name))}`,
  );
  return [
    {
      severity: 'warning',
      code: 'engine-versions',
      what: `the nodes run different engines: ${said.join('; ')}`,
      where: 'the nodes',
      why: 'right for the time of an upgrade only: managers of different versions decide differently, and a newer one may write what an older one cannot read',
      advice: 'bring all nodes to one version, one after the other, managers first',
    },
  ];
}

function inMinutes(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  return minutes < 120 ? `${String(minutes)} min` : `${String(Math.floor(minutes / 60))} h`;
}

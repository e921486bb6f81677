import { type Finding, namesInWords } from '../../../core/finding.ts';
import { visible } from '../../../core/visible.ts';
import { isEnded, tasksWanted } from './addresses.ts';
import type { Inspection, SwarmTask } from './inspection.ts';

/** What each of these states waits for. */
const WAITS: Readonly<Record<string, { readonly why: string; readonly advice: string }>> = {
  new: {
    why: 'the Swarm could not give it what it needs: almost always an address for the service or the task in one of its networks',
    advice: 'look at the networks of the service; a full or missing subnet is a finding of its own',
  },
  pending: {
    why: 'no node fits',
    advice: 'look at the constraints, reservations and host ports of the service',
  },
  assigned: {
    why: 'a node was chosen and has not taken it: its engine does not listen, or the image is about to be asked for',
    advice: 'look at the engine of that node',
  },
  accepted: {
    why: 'its node has taken it and not begun',
    advice: 'look at the engine of that node',
  },
  preparing: {
    why: 'its node pulls the image or joins the networks: a slow registry, or no address for the load balancer of that node',
    advice: 'look at the engine log of that node',
  },
};

const ERROR_LENGTH_MAX = 200;

/** Pure. Tasks that do not get on for longer than `stuckMs`, by their age: the engine writes the time of a try anew. */
export function taskFindings(
  inspection: Inspection,
  nowMs: number,
  stuckMs: number,
): readonly Finding[] {
  return [...stuck(inspection, nowMs, stuckMs), ...still(inspection, nowMs, stuckMs)];
}

function stuck(
  { services, tasks, nodes }: Inspection,
  nowMs: number,
  stuckMs: number,
): readonly Finding[] {
  const names = new Map(services.map(({ id, name }) => [id, name]));
  const waiting = tasks.filter(
    (task) =>
      task.state in WAITS &&
      ['running', 'complete'].includes(task.desiredState) &&
      nowMs - task.createdMs > stuckMs,
  );
  const groups = Map.groupBy(waiting, ({ serviceId, state }) => `${serviceId} ${state}`);
  return [...groups.values()].flatMap((those): readonly Finding[] => {
    const oldest = those.reduce((one, other) => (other.createdMs < one.createdMs ? other : one));
    const waits = WAITS[oldest.state];
    if (waits === undefined) return [];
    const error = those.find((one) => one.error !== '')?.error ?? '';
    const on = nodes.find(({ id }) => id === oldest.nodeId)?.name;
    const minutes = Math.floor((nowMs - oldest.createdMs) / 60_000);
    const where = on === undefined ? '' : ` on ${on}`;
    return [
      {
        severity: oldest.state === 'new' ? 'critical' : 'warning',
        code: 'task-stuck',
        what: `${counted(those)} in \`${oldest.state}\`${where}, the oldest for ${String(minutes)} min`,
        where: `service ${names.get(oldest.serviceId) ?? oldest.serviceId}`,
        why:
          error === '' ? waits.why : `${waits.why}: ${visible(error).slice(0, ERROR_LENGTH_MAX)}`,
        advice: waits.advice,
        ...commandFor(oldest),
      },
    ];
  });
}

function counted({ length }: readonly unknown[]): string {
  return length === 1 ? '1 task is' : `${String(length)} tasks are`;
}

function commandFor({ serviceId }: SwarmTask): { readonly command?: string } {
  return serviceId === '' ? {} : { command: `docker service ps --no-trunc ${serviceId}` };
}

function still(
  { services, tasks, nodes }: Inspection,
  nowMs: number,
  stuckMs: number,
): readonly Finding[] {
  const away = new Set(nodes.filter(({ state }) => state !== 'ready').map(({ id }) => id));
  const byService = Map.groupBy(tasks, ({ serviceId }) => serviceId);
  return services.flatMap((service): readonly Finding[] => {
    const { id, name, createdMs } = service;
    const wanted = tasksWanted(service, nodes.length);
    const all = byService.get(id) ?? [];
    const runs = all.some(({ state, nodeId }) => state === 'running' && !away.has(nodeId));
    if (wanted === 0 || runs || nowMs - createdMs <= stuckMs) return [];
    const errors = [...new Set(all.filter(isEnded).flatMap((one) => one.error || []))];
    const [last] = errors.toReversed();
    return [
      {
        severity: 'warning',
        code: 'service-without-task',
        what: `nothing of it runs, ${String(wanted)} ${wanted === 1 ? 'task is' : 'tasks are'} wanted`,
        where: `service ${name}`,
        why:
          last === undefined
            ? 'no task of it has ended with an error'
            : `its tasks end: ${namesInWords([visible(last).slice(0, ERROR_LENGTH_MAX)])}`,
        advice: 'understudy get, where it is a unit; else its tasks and its log say more',
        command: `docker service ps --no-trunc ${id}`,
      },
    ];
  });
}

import type { CallOutcome, Kind, Rendered } from '../../agent/core/kind.ts';
import type { AgentEvent, Provider, Reporter } from '../../agent/reconcile/ports.ts';

/** A world of units that are one text each: what runs under which name, and what the calls to it did. */
export class World {
  readonly running = new Map<string, string>();
  readonly calls: string[] = [];
  observations = 0;
  ready = true;
  /** What the next calls answer, one each; then all is well. */
  readonly answers: CallOutcome<{ readonly id: string }>[] = [];
  readonly views: CallOutcome<World>[] = [];
  /** Calls under way now, and the most there ever were. */
  underWay = 0;
  mostUnderWay = 0;
  /** Texts of which tasks crash. */
  readonly broken = new Set<string>();
  readonly notes: string[] = [];
  /** No task runs yet. */
  unsettled = false;
}

export type WorldCall = { readonly name: string; readonly text: string } | 'head';

export const worldKind: Kind<string, World, WorldCall> = {
  kind: 'stack',
  diff: ({ id, spec }, world) => ({
    operations:
      world.running.get(id) === spec
        ? []
        : [
            {
              target: id,
              verb: 'update',
              phase: 'change',
              effect: 'restart',
              fields: [],
              call: { name: id, text: spec },
            },
          ],
    blocked: [],
    notes: [...world.notes],
  }),
  baseline: () => [],
  health: ({ spec }, world) =>
    world.broken.has(spec)
      ? {
          status: 'failing',
          code: 'unhealthy',
          why: 'it crashes',
          evidence: 'exit 1',
          summary: '0/1',
        }
      : world.unsettled
        ? { status: 'progressing', progress: 0, summary: '0/1' }
        : { status: 'converged', members: spec, summary: '1/1' },
  times: () => ({ timeoutMs: 60_000, stableForMs: 5_000 }),
};

export function worldProvider(world: World): Provider<World, WorldCall> {
  return {
    observe: async () => {
      world.observations += 1;
      return world.views.shift() ?? { status: 'ok', value: world };
    },
    prepare: async () => {
      if (world.ready) return { status: 'ok', value: { made: false } };
      world.ready = true;
      world.calls.push('head');
      return { status: 'ok', value: { made: true } };
    },
    caller: () => ({
      call: async (call) => {
        world.underWay += 1;
        world.mostUnderWay = Math.max(world.mostUnderWay, world.underWay);
        await new Promise<void>((resolve) => {
          setImmediate(resolve);
        });
        world.underWay -= 1;
        if (call === 'head') throw new Error('not a call of a unit');
        world.calls.push(`${call.name}=${call.text}`);
        const answer = world.answers.shift() ?? { status: 'ok', value: { id: call.name } };
        if (answer.status === 'ok') world.running.set(call.name, call.text);
        return answer;
      },
    }),
  };
}

export function worldUnit(name: string, text: string): Rendered<string> {
  const place = { file: 'f', line: 1, column: 1, length: 1, quoted: '' };
  return { id: `stack/${name}`, spec: text, digest: text, place, needs: [], gives: [] };
}

/** Keeps what was told. */
export function listeningReporter(): Reporter & {
  readonly events: AgentEvent[];
  names(): string[];
} {
  const events: AgentEvent[] = [];
  return {
    events,
    tell: (event) => {
      events.push(event);
    },
    names: () => events.map(({ event }) => event),
  };
}

import type { Clock } from '../reconcile/ports.ts';
import type { UnitRenderer } from '../render/renderer.ts';
import { planUsage, type PlanWanted, planWantedOf } from './plan-options.ts';
import type { PlanIo } from './plan-ports.ts';
import type { Output } from './printer.ts';
import { openPatientRenderer } from './rendered.ts';

/** What goes on instead of one plan: `--watch`. */
export type PlanWatch = (
  wanted: PlanWanted,
  io: PlanIo,
  renderer: UnitRenderer,
  signal: AbortSignal,
) => Promise<number>;

/** What the command has from the start. The rest is loaded while the renderer, which takes longest, loads its own. */
export interface PlanStart extends Output {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  load(): Promise<{ readonly io: PlanIo; readonly watch: PlanWatch }>;
}

/** Runs `understudy plan`; gives the exit code. */
export async function planCommand(
  args: readonly string[],
  start: PlanStart,
  signal: AbortSignal,
): Promise<number> {
  const wanted = planWantedOf(args, start.environment, start.colour);
  if (wanted === 'help') {
    start.out(planUsage);
    return 0;
  }
  if ('wrong' in wanted) return refuse(start, wanted.wrong);
  const renderer = openPatientRenderer(wanted.environment ?? '', start.clock, {
    keyFile: wanted.keyFile,
    // What is applied has to be what is meant.
    closed: wanted.apply ? 'mistake' : 'fine',
  });
  renderer.warm();
  try {
    const { isFolder } = await import('../source/folder.ts');
    if (!(await isFolder(wanted.folder, signal))) {
      return refuse(start, `there is no folder \`${wanted.folder}\``);
    }
    const [{ plan, print }, { io, watch }] = await Promise.all([
      import('./plan-once.ts'),
      start.load(),
    ]);
    if (wanted.watch) return await watch(wanted, io, renderer, signal);
    return print(await plan(wanted, io, renderer, signal), wanted, io);
  } finally {
    await renderer.close();
  }
}

function refuse(io: Output, why: string): number {
  io.err(`understudy plan: ${why}; understudy plan --help says more\n`);
  return 2;
}

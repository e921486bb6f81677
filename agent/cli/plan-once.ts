import { formatJson, formatText, jsonText } from '../core/format.ts';
import { countsOf, isDifferent } from '../core/plan.ts';
import { SourceError } from '../reconcile/ports.ts';
import type { UnitRenderer } from '../render/renderer.ts';
import { invalidMarkdown, planMarkdown } from './plan-markdown.ts';
import type { PlanWanted } from './plan-options.ts';
import type { Planned, PlanIo, Plans } from './plan-ports.ts';
import { nameOf, planRevisions } from './plan-revisions.ts';
import { planSwarm } from './plan-swarm.ts';
import { planLines } from './plan-text.ts';
import { createPrinter } from './printer.ts';

/** Plans once, whatever it is compared with. */
export async function plan(
  wanted: PlanWanted,
  io: PlanIo,
  renderer: UnitRenderer,
  signal: AbortSignal,
): Promise<Planned> {
  try {
    if (wanted.offline) return await planRevisions(wanted, io, renderer, signal);
    const sight = io.openSight(wanted);
    try {
      return await planSwarm(wanted, { io, renderer, sight }, signal);
    } finally {
      sight.close();
    }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { status: 'failed', code: 1, why: error.message };
  }
}

/** Writes what came of planning; gives the exit code. */
export function print(planned: Planned, wanted: PlanWanted, io: PlanIo): number {
  switch (planned.status) {
    case 'failed':
      io.err(`understudy plan: ${planned.why}\n`);
      return planned.code;
    case 'invalid':
      io.out(invalidIn(planned, wanted));
      if (wanted.format === 'text') {
        io.err(`understudy plan: ${nameOf(planned.of)} is invalid, so there is no plan\n`);
      }
      return 3;
    case 'planned':
      write(planned.plans, wanted, io);
      return wanted.exitCode && hasChanges(planned.plans) ? 4 : 0;
  }
}

function invalidIn(
  { of, diagnostics }: Extract<Planned, { readonly status: 'invalid' }>,
  { format, colour }: PlanWanted,
): string {
  switch (format) {
    case 'text':
      return formatText(diagnostics, { colour });
    case 'json':
      return formatJson(diagnostics);
    case 'markdown':
      return invalidMarkdown(of, diagnostics);
  }
}

function write(plans: Plans, { format, colour }: PlanWanted, io: PlanIo): void {
  switch (format) {
    case 'text': {
      const printer = createPrinter({ ...io, colour }, () => io.clock.nowMs());
      for (const { text, tone } of planLines(plans)) printer.plain(text, tone);
      return;
    }
    case 'json':
      io.out(jsonText(inJson(plans)));
      return;
    case 'markdown':
      io.out(planMarkdown(plans));
  }
}

function inJson({ from, to, environments, notes, warnings }: Plans): object {
  return {
    ...(from !== undefined && { from }),
    to,
    changes: environments.some(({ units }) => units.some(isDifferent)),
    environments: environments.map((plan) => ({ ...plan, counts: countsOf(plan) })),
    notes,
    warnings,
  };
}

function hasChanges({ environments }: Plans): boolean {
  return environments.some(({ units }) => units.some(isDifferent));
}

import { formatText } from '../core/format.ts';
import { countsOf, type Plan, type PlannedUnit } from '../core/plan.ts';
import { visible } from '../core/visible.ts';
import type { Plans } from './plan-ports.ts';
import {
  countsInWords,
  headOf,
  linesOf,
  type PlanLine,
  plural,
  type Sign,
  signOf,
  subjectOf,
  totalOf,
} from './plan-words.ts';
import type { Tone } from './printer.ts';

/** One line for a terminal. */
export interface ToneLine {
  readonly text: string;
  readonly tone: Tone;
}

const tones: Readonly<Record<Sign, Tone>> = {
  '+': 'good',
  '-': 'bad',
  '~': 'strong',
  ' ': 'plain',
};

/** Pure. A plan for people. */
export function planLines(plans: Plans): readonly ToneLine[] {
  const notes = plans.notes.map((note) => plain(visible(note)));
  const blocks = plans.environments.map((plan) => environmentLines(plan));
  const total =
    plans.environments.length > 1
      ? [plain(''), strong(`all environments: ${countsInWords(totalOf(plans.environments))}`)]
      : [];
  const warnings = formatText(plans.warnings, { colour: false }).split('\n').slice(0, -1);
  return [
    ...warnings.map(plain),
    strong(`plan of ${subjectOf(plans)}`),
    ...notes,
    ...blocks.flat(),
    ...total,
  ];
}

function environmentLines(plan: Plan): readonly ToneLine[] {
  const { environment, units, unchanged, notes } = plan;
  const waves = new Set(units.filter(({ change }) => change !== 'keep').map(({ wave }) => wave));
  const lines: ToneLine[] = [plain(''), strong(`environment ${environment}`)];
  lines.push(...notes.map((note) => plain(`  ${visible(note)}`)));
  let wave = 0;
  for (const unit of units) {
    if (waves.size > 1 && unit.change !== 'keep' && unit.wave !== wave) {
      wave = unit.wave;
      lines.push(dim(`  ${whenOf(unit)}`));
    }
    lines.push({ text: `  ${signOf(unit)} ${headOf(unit)}`, tone: tones[signOf(unit)] });
    lines.push(...linesOf(unit).map(toneLine));
  }
  const rest = unchanged > 0 ? `, ${plural(unchanged, 'unit')} unchanged` : '';
  lines.push(plain(`  ${countsInWords(countsOf(plan))}${rest}`));
  return lines;
}

function whenOf({ wave, change }: PlannedUnit): string {
  if (change === 'remove') return 'at last, when everything else is healthy';
  return wave === 1 ? 'at first' : 'then, when what they depend on is healthy';
}

function toneLine({ sign, depth, text }: PlanLine): ToneLine {
  const indent = '    '.repeat(depth);
  return { text: `  ${indent}${sign} ${text}`.trimEnd(), tone: tones[sign] };
}

function plain(text: string): ToneLine {
  return { text, tone: 'plain' };
}

function strong(text: string): ToneLine {
  return { text, tone: 'strong' };
}

function dim(text: string): ToneLine {
  return { text, tone: 'dim' };
}

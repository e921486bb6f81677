import type { Diagnostic } from '../core/diagnostic.ts';
import { formatText } from '../core/format.ts';
import { countsOf, isDifferent, type Plan, type PlannedUnit } from '../core/plan.ts';
import { visible } from '../core/visible.ts';
import { nameOf } from './plan-revisions.ts';
import type { Named, Plans } from './plan-ports.ts';
import {
  countsInWords,
  headOf,
  linesOf,
  plural,
  signOf,
  subjectOf,
  totalOf,
} from './plan-words.ts';

/** The first line of a comment: a workflow finds by it the one that it wrote before. */
export const MARKER = '<!-- understudy:plan -->';

/** GitHub takes 65,536 characters; what a workflow adds has room. */
const LENGTH_MAX = 60_000;
/** Of one unit. */
const LINES_MAX = 60;
const LINE_LENGTH_MAX = 300;

/**
 * Pure. A plan as a comment on a pull request. Whatever comes from the repository stands in fenced blocks that nothing
 * inside can end, or in code of which every sign of HTML is escaped: it can neither be markup nor call anybody.
 */
export function planMarkdown(plans: Plans): string {
  const { environments, notes, warnings } = plans;
  const head = [
    MARKER,
    `### Understudy plan: ${countsInWords(totalOf(environments))}`,
    '',
    `${subjectOf(plans)}.`,
  ];
  const blocks = environments.flatMap((plan) => environmentBlocks(plan));
  const said = [...notes, ...environments.flatMap(noteLines)];
  if (said.length > 0) blocks.unshift({ text: fenced(said.map(shown), 'text'), units: 0 });
  if (warnings.length > 0) blocks.push({ text: diagnosticsBlock(warnings), units: 0 });
  return `${[...head, ...within(blocks, LENGTH_MAX)].join('\n')}\n`;
}

/** Pure. That nothing can be planned, as a comment. */
export function invalidMarkdown(of: Named, diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const head = `### Understudy plan: invalid, ${plural(errors, 'error')} in ${nameOf(of)}`;
  return `${[MARKER, head, '', 'Nothing of an invalid revision is applied.', '', diagnosticsBlock(diagnostics)].join('\n')}\n`;
}

/** A part of a comment. `units`: how many it shows. */
interface Block {
  readonly text: string;
  readonly units: number;
}

/**
 * As many of the first blocks as there is room for, and how many units are left out. Nothing follows a gap: it would seem
 * to belong to what stands before it.
 */
function within(blocks: readonly Block[], lengthMax: number): readonly string[] {
  const lines: string[] = [];
  let length = 0;
  for (const [at, { text }] of blocks.entries()) {
    length += text.length + 2;
    if (length > lengthMax) return [...lines, '', cutLine(blocks.slice(at))];
    lines.push('', text);
  }
  return lines;
}

function cutLine(cut: readonly Block[]): string {
  const left = cut.reduce((sum, { units }) => sum + units, 0);
  return left === 0
    ? '… and more: `understudy plan` shows it.'
    : `… and ${plural(left, 'more stack')}: \`understudy plan\` shows them.`;
}

function environmentBlocks(plan: Plan): Block[] {
  const { environment, units, unchanged } = plan;
  const rest = unchanged > 0 ? `, ${plural(unchanged, 'unit')} unchanged` : '';
  const counts = countsInWords(countsOf(plan));
  const head = `#### ${code(environment)}: ${counts}${rest}`;
  const shownUnits = units.filter((unit) => isDifferent(unit) || unit.held !== undefined);
  return [
    { text: head, units: 0 },
    ...shownUnits.map((unit) => ({ text: unitBlock(unit), units: 1 })),
  ];
}

function noteLines({ environment, notes, units }: Plan): readonly string[] {
  const kept = units.filter((unit) => !isDifferent(unit) && unit.held === undefined);
  return [
    ...notes.map((note) => `${environment}: ${note}`),
    ...kept.flatMap(({ id, notes: more }) => more.map((note) => `${environment}: ${id}: ${note}`)),
  ].slice(0, LINES_MAX);
}

function unitBlock(unit: PlannedUnit): string {
  const lines = linesOf(unit).map(({ sign, depth, text }) =>
    // The sign first: that is what colours the line.
    shown(`${sign} ${'  '.repeat(depth - 1 < 0 ? 0 : depth - 1)}${text}`),
  );
  const more = lines.length - LINES_MAX;
  const kept =
    more > 0 ? [...lines.slice(0, LINES_MAX), `  … and ${plural(more, 'more line')}`] : lines;
  const wave = unit.wave > 1 ? `, wave ${String(unit.wave)}` : '';
  const summary = `<summary>${code(`${signOf(unit)} ${headOf(unit)}${wave}`)}</summary>`;
  return ['<details>', summary, '', fenced(kept, 'diff'), '', '</details>'].join('\n');
}

function diagnosticsBlock(diagnostics: readonly Diagnostic[]): string {
  const lines = formatText(diagnostics, { colour: false }).trimEnd().split('\n').map(shown);
  const more = lines.length - 2 * LINES_MAX;
  const kept = lines.slice(0, 2 * LINES_MAX);
  return fenced(more > 0 ? [...kept, `… and ${plural(more, 'more line')}`] : kept, 'text');
}

function shown(line: string): string {
  const text = visible(line);
  return text.length > LINE_LENGTH_MAX ? `${text.slice(0, LINE_LENGTH_MAX)}…` : text;
}

/** A block that ends only where we end it: its fence is longer than any run of backticks inside. */
function fenced(lines: readonly string[], language: string): string {
  const runs = lines.flatMap((line) => line.match(/`+/g) ?? []);
  const fence = '`'.repeat(Math.max(3, ...runs.map(({ length }) => length + 1)));
  return [`${fence}${language}`, ...lines, fence].join('\n');
}

/** Code in a line, as HTML: Markdown between the tags counts too, so its signs are escaped as well. */
function code(text: string): string {
  const escaped = visible(text).replace(
    /[^\p{L}\p{N} /:,.-]/gu,
    (sign) => `&#${String(sign.codePointAt(0))};`,
  );
  return `<code>${escaped}</code>`;
}

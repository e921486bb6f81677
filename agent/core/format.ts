import type { Diagnostic, Place } from './diagnostic.ts';
import { byPlace } from './diagnostic.ts';
import { columnsOf, visible, visibleLine } from './visible.ts';

/** How text is written for people. */
export interface TextStyle {
  /** ANSI colours, for terminals. */
  readonly colour: boolean;
}

/**
 * Pure. Diagnostics for people, in the manner of rustc: sorted by file and position, each with its line, at the end
 * how many there are. Nothing of a file reaches the terminal as a control character. Empty where there are none.
 */
export function formatText(diagnostics: readonly Diagnostic[], { colour }: TextStyle): string {
  if (diagnostics.length === 0) return '';
  const blocks = diagnostics.toSorted(byPlace).map((one) => block(one, colour ? coloured : plain));
  return `${blocks.join('\n')}\n${summary(diagnostics)}\n`;
}

/** Pure. Diagnostics for programs: one JSON document, sorted as in the text. */
export function formatJson(diagnostics: readonly Diagnostic[]): string {
  const { errors, warnings } = count(diagnostics);
  return jsonText({ errors, warnings, diagnostics: diagnostics.toSorted(byPlace) });
}

/** Pure. A value as one JSON document, without characters that move a terminal's cursor or turn its text. */
export function jsonText(value: object): string {
  const text = JSON.stringify(value, null, 2);
  // JSON leaves these as they are, a terminal does not.
  const escaped = text.replaceAll(
    /[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${escaped}\n`;
}

/** Pure. Diagnostics as workflow commands of GitHub Actions, one line each, shown beside the change that they are about. */
export function formatAnnotations(diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .toSorted(byPlace)
    .map((one) => `${annotation(one)}\n`)
    .join('');
}

function annotation({ severity, code, message, place, hint }: Diagnostic): string {
  const where: readonly (readonly [string, string])[] =
    place === undefined
      ? []
      : [
          ['file', place.file],
          ['line', String(place.line)],
          ['col', String(place.column)],
          ['endColumn', String(place.column + place.length)],
        ];
  const properties = [...where, ['title', code] as const]
    .map(([name, value]) => `${name}=${escapeProperty(visible(value))}`)
    .join(',');
  const text = visible(message) + (hint === undefined ? '' : `\nhint: ${visible(hint)}`);
  return `::${severity} ${properties}::${escapeData(text)}`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

type Paint = (text: string, style: 'error' | 'warning' | 'bold' | 'frame') => string;

const plain: Paint = (text) => text;
const coloured: Paint = (text, style) => {
  const codes = { error: '1;31', warning: '1;33', bold: '1', frame: '1;34' };
  return `\x1b[${codes[style]}m${text}\x1b[0m`;
};

function block({ severity, code, message, place, hint }: Diagnostic, paint: Paint): string {
  const head = `${paint(`${severity}[${code}]`, severity)}${paint(`: ${visible(message)}`, 'bold')}`;
  const gutter = ' '.repeat(place === undefined ? 1 : String(place.line).length);
  const lines = [head];
  if (place !== undefined) {
    const path = place.path === undefined ? '' : ` (${visible(place.path)})`;
    const where = `${visible(place.file)}:${place.line}:${place.column}${path}`;
    lines.push(`${gutter}${paint('-->', 'frame')} ${where}`);
    if (place.quoted.trim() !== '') lines.push(...quote(place, gutter, severity, paint));
  }
  if (hint !== undefined) lines.push(`${gutter} ${paint('=', 'frame')} hint: ${visible(hint)}`);
  return `${lines.join('\n')}\n`;
}

function quote(
  place: Place,
  gutter: string,
  severity: Diagnostic['severity'],
  paint: Paint,
): readonly string[] {
  const { quoted, column, length, line } = place;
  const cut = (place.quotedFrom ?? 1) - 1;
  const from = Math.max(0, Math.min(column - 1 - cut, quoted.length));
  const lead = cut > 0 ? '…' : '';
  const indent = columnsOf(lead) + columnsOf(quoted.slice(0, from));
  // At least one mark, also behind the end of the line; never longer than what is shown.
  const marks = Math.max(1, columnsOf(quoted.slice(from, from + length)));
  const bar = paint('|', 'frame');
  return [
    `${gutter} ${bar}`,
    `${paint(String(line), 'frame')} ${bar} ${lead}${visibleLine(quoted)}`,
    `${gutter} ${bar} ${' '.repeat(indent)}${paint('^'.repeat(marks), severity)}`,
  ];
}

function summary(diagnostics: readonly Diagnostic[]): string {
  const { errors, warnings } = count(diagnostics);
  const files = new Set(
    diagnostics.flatMap(({ place }) => (place === undefined ? [] : [place.file])),
  ).size;
  const counts = [
    ...(errors > 0 ? [plural(errors, 'error')] : []),
    ...(warnings > 0 ? [plural(warnings, 'warning')] : []),
  ].join(', ');
  return files === 0 ? counts : `${counts} in ${plural(files, 'file')}`;
}

function count(diagnostics: readonly Diagnostic[]): { errors: number; warnings: number } {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  return { errors, warnings: diagnostics.length - errors };
}

function plural(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

import { substitute } from '../../../core/interpolate.ts';
import type { Finding } from '../../../core/interpolate.ts';
import type { Outputs } from '../../../core/outputs.ts';
import type { Path } from '../../../core/parse.ts';
import type { ReplacedValue } from '../sealed-files.ts';
import { castText } from './casts.ts';
import { nearest } from './names.ts';
import type { Notes } from './notes.ts';

/** Most UTF-16 units that one file may have where variables are in it, once they are replaced. */
const CHARACTERS_MAX = 4_194_304;

/** Where the values of `${...}` come from: nowhere else, above all not from a process environment. */
export interface VariableSource {
  readonly variables: Readonly<Record<string, string>>;
  /** Whose they are; absent: nobody's in particular. */
  readonly environment?: string | undefined;
  /** Who gives variables; absent: nobody. */
  readonly outputs?: Pick<Outputs, 'giverOf'>;
  /** True: a variable that is not defined is empty, with a warning. */
  readonly undefinedVariables: boolean;
  /** Told which variables came into the text at a place. */
  readonly took?: (names: readonly string[], path: Path, values: ReplacedValue) => void;
}

/** Pure but for `notes`. The document with variables replaced in all its values, never in keys, and cast where Compose casts. */
export function replaceVariables(value: unknown, source: VariableSource, notes: Notes): unknown {
  const work = { source, notes, left: CHARACTERS_MAX };
  const walk = (part: unknown, path: Path): unknown => {
    if (typeof part === 'string') {
      return part.includes('$') ? replaceIn(part, path, work) : part;
    }
    if (Array.isArray(part)) return part.map((item, index) => walk(item, [...path, index]));
    if (!isMapping(part)) return part;
    return Object.fromEntries(
      Object.entries(part).map(([key, field]) => [key, walk(field, [...path, key])]),
    );
  };
  return walk(value, []);
}

/** Pure. True for a mapping of a document, false for what stands for a scalar. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

interface Work {
  readonly source: VariableSource;
  readonly notes: Notes;
  /** UTF-16 units that may still be made. */
  left: number;
}

function replaceIn(text: string, path: Path, work: Work): unknown {
  const { source, notes } = work;
  if (work.left < 0) return text;
  const { text: replaced, findings, taken } = substitute(text, source.variables);
  if (taken.length > 0) source.took?.(taken, path, { written: text, replaced });
  work.left -= replaced.length;
  if (work.left < 0) findings.push({ kind: 'too-large' });
  for (const finding of notes.isFull ? [] : findings) note(finding, path, source, notes);
  if (replaced === text || notes.isBroken(path)) return replaced;
  const cast = castText(replaced, path);
  if ('value' in cast) return cast.value;
  notes.breakAt('wrong-type', path, `the variables do not give ${cast.wanted} here`);
  return replaced;
}

function note(finding: Finding, path: Path, source: VariableSource, notes: Notes): void {
  switch (finding.kind) {
    case 'unreadable':
      notes.breakAt(
        'interpolation',
        path,
        'a `$` is not followed by a variable',
        'write `$$` for the character itself; variables are `${NAME}`, `${NAME:-default}` or `${NAME:?message}`',
      );
      return;
    case 'too-large':
      notes.breakAt('too-large', path, 'the variables make more text than a stack may have');
      return;
    case 'trap':
      notes.warn(
        'interpolation',
        path,
        `\`${finding.written}\` is read as the variable \`${finding.name}\` with a default or a message`,
        'write `${NAME}` with braces, and no `-` in the message of `:?`',
      );
      return;
    case 'required':
      notes.breakAt(
        'undefined-variable',
        path,
        `the variable \`${finding.name}\` must have a value`,
        definedHow(finding.name, source),
      );
      return;
    case 'undefined': {
      const message = `the variable \`${finding.name}\` is not defined`;
      if (source.undefinedVariables)
        notes.warn('undefined-variable', path, `${message} and empty here`);
      else notes.breakAt('undefined-variable', path, message, definedHow(finding.name, source));
    }
  }
}

/** One of several environments may lack what the others have. */
function fileOf(environment: string | undefined): string {
  return environment === undefined ? 'the environment' : `environments/${environment}.yaml`;
}

/** Pure. What to do about a variable that is not there. */
export function definedHow(
  name: string,
  {
    variables,
    environment,
    outputs,
  }: Pick<VariableSource, 'variables' | 'environment' | 'outputs'>,
): string {
  const giver = outputs?.giverOf(name);
  if (giver !== undefined) {
    return `\`${giver}\` gives it to stacks that name it in \`dependsOn\` of their stack.yaml`;
  }
  const near = nearest(name, Object.keys(variables));
  return near === undefined
    ? `define it in \`variables\` of ${fileOf(environment)}, or write \`\${${name}:-default}\``
    : `did you mean \`${near}\`?`;
}

import { stripVTControlCharacters } from 'node:util';

import type { Asked, Health, Seen } from '../../core/kind.ts';
import { looksSecret, maskLine } from '../../core/path.ts';
import { visible } from '../../core/visible.ts';
import type { ServiceSpec } from './engine-api.ts';
import type { ServiceFailure } from './failure.ts';

/** The log is read once, and has so long for it. Milliseconds. */
const EVERY_MS = 3_600_000;
const TIMEOUT_MS = 3_000;

const LINES_MAX = 5;
const LINE_LENGTH_MAX = 160;
/** A shorter value of a variable stands in many words. */
const VALUE_LENGTH_MIN = 4;

/**
 * Pure. A certain failure with the last lines that its task wrote. Until they were asked for the verdict waits, a moment only:
 * a log that cannot be read is none. Of a task that never started there is nothing to read.
 */
export function withLastLines(failure: ServiceFailure, summary: string, seen: Seen): Health {
  const { code, why, evidence, task } = failure;
  const plain = { status: 'failing', code, why, evidence, summary } as const;
  if (task === undefined || seen.logs !== true) return plain;
  const asked = questionOf(task);
  const answer = seen.answers.get(asked.name);
  if (answer === undefined) return { ...plain, asks: [asked], reading: true };
  const lines = answer.status === 'good' ? lastLines(answer.detail, failure.spec) : [];
  if (lines.length === 0) return plain;
  return { ...plain, evidence: `${evidence}; its last lines: ${lines.join(' | ')}` };
}

function questionOf(task: string): Asked {
  const question = { ask: 'log', task, everyMs: EVERY_MS, timeoutMs: TIMEOUT_MS } as const;
  return { name: `log of ${task}`, question };
}

/**
 * Pure. The last lines of a log for one line of text. What a program writes is anybody's: nothing in it moves a cursor, and
 * neither what looks like a secret nor the value of a variable that does is shown.
 */
export function lastLines(log: string, spec: ServiceSpec): readonly string[] {
  const hidden = secretValues(spec);
  return log
    .split(/[\r\n]+/)
    .map((line) => stripVTControlCharacters(line).trim())
    .filter((line) => line !== '')
    .slice(-LINES_MAX)
    .map((line) => hidden.reduce((text, value) => text.replaceAll(value, '[secret]'), line))
    .map((line) => visible(maskLine(line)))
    .map((line) => (line.length > LINE_LENGTH_MAX ? `${line.slice(0, LINE_LENGTH_MAX)}…` : line));
}

/** The longest first: one may begin with another. */
function secretValues({
  TaskTemplate: { ContainerSpec: container },
}: ServiceSpec): readonly string[] {
  return (container.Env ?? [])
    .flatMap((variable) => {
      const at = variable.indexOf('=');
      const value = variable.slice(at + 1);
      return at > 0 && looksSecret(variable.slice(0, at)) && value.length >= VALUE_LENGTH_MIN
        ? [value]
        : [];
    })
    .toSorted((one, other) => other.length - one.length);
}

import { stripVTControlCharacters } from 'node:util';

import type { Asked, Failure, Health, Seen } from '../../core/kind.ts';
import { looksSecret, maskLine } from '../../core/path.ts';
import { visible } from '../../core/visible.ts';
import type { ServiceSpec } from './engine-api.ts';
import type { StackSpec } from './spec.ts';

/** The log is read once, and has so long for it. Milliseconds. */
const EVERY_MS = 3_600_000;
const TIMEOUT_MS = 3_000;

const LINES_MAX = 5;
const LINE_LENGTH_MAX = 160;
/** A shorter value of a variable stands in many words. */
const VALUE_LENGTH_MIN = 4;
const PART_LENGTH_MIN = 6;

/** What may have said why it failed. */
export interface Speaker {
  /** Absent: it never ran, and wrote nothing. */
  readonly task?: string;
  /** Its container, where its healthcheck may tell. */
  readonly container?: string;
  /** Of which it was. */
  readonly spec: ServiceSpec;
}

/** What a failure is told with. */
interface Telling {
  readonly summary: string;
  readonly seen: Seen;
  readonly spec: StackSpec;
}

/**
 * Pure. A certain failure with the last lines that its task wrote, and what its healthcheck said where this engine knows it.
 * Until they were asked for the verdict waits, a moment only: a log that cannot be read is none. Of a task that never started
 * there is nothing to read.
 */
export function withLastLines(
  failure: Failure & Speaker,
  { summary, seen, spec }: Telling,
): Health {
  const { code, why, evidence } = failure;
  const plain = { status: 'failing', code, why, evidence, summary } as const;
  if (seen.logs !== true) return plain;
  const { asks, said } = heard(failure, seen, spec);
  if (said === undefined) return { ...plain, asks, reading: true };
  return said.length === 0 ? plain : { ...plain, evidence: [evidence, ...said].join('; ') };
}

/** What is asked of a speaker, and what it said; undefined: not all is answered. */
export interface Heard {
  readonly asks: readonly Asked[];
  readonly said: readonly string[] | undefined;
}

/** Pure. What a task and its healthcheck said last, as far as it may be shown. */
export function heard(speaker: Speaker, { answers }: Seen, spec: StackSpec): Heard {
  const reads = readsOf(speaker);
  const asks = reads.map(({ asked }) => asked);
  if (asks.some(({ name }) => !answers.has(name))) return { asks, said: undefined };
  const hidden = hiddenIn(spec, speaker.spec.Name);
  const said = reads.flatMap(({ words, asked: { name } }) => {
    const answer = answers.get(name);
    const lines = answer?.status === 'good' ? lastLines(answer.detail, speaker.spec, hidden) : [];
    return lines.length === 0 ? [] : [`${words}: ${lines.join(' | ')}`];
  });
  return { asks, said };
}

interface Read {
  readonly asked: Asked;
  readonly words: string;
}

function readsOf({ task, container }: Speaker): readonly Read[] {
  const times = { everyMs: EVERY_MS, timeoutMs: TIMEOUT_MS };
  const check: Read[] =
    container === undefined
      ? []
      : [
          {
            asked: {
              name: `check of ${container}`,
              question: { ask: 'check', container, ...times },
            },
            words: 'its healthcheck said',
          },
        ];
  if (task === undefined) return check;
  const log = { name: `log of ${task}`, question: { ask: 'log', task, ...times } } as const;
  return [...check, { asked: log, words: 'its last lines' }];
}

/** Variables of a service that came from an encrypted file. */
function hiddenIn({ services, hidden = {} }: StackSpec, name: string): readonly string[] {
  const [key = ''] = Object.entries(services).find(([, { Name }]) => Name === name) ?? [];
  return hidden[key] ?? [];
}

/**
 * Pure. The last lines of a log for one line of text. What a program writes is anybody's: nothing in it moves a cursor, and
 * neither what looks like a secret nor the value of a variable that does, or that is one of `secret`, is shown.
 */
export function lastLines(
  log: string,
  spec: ServiceSpec,
  secret: readonly string[] = [],
): readonly string[] {
  const hidden = secretValues(spec, new Set(secret));
  return log
    .split(/[\r\n]+/)
    .map((line) => stripVTControlCharacters(line).trim())
    .filter((line) => line !== '')
    .slice(-LINES_MAX)
    .map((line) => hidden.reduce((text, value) => text.replaceAll(value, '[secret]'), line))
    .map((line) => visible(maskLine(line)))
    .map((line) => (line.length > LINE_LENGTH_MAX ? `${line.slice(0, LINE_LENGTH_MAX)}…` : line));
}

/** A secret may stand in the middle of a variable, as in an address, and a program writes that part alone. */
function partsOf(value: string): readonly string[] {
  return value.split(/[\s:/@?&=,;"']+/).filter(({ length }) => length >= PART_LENGTH_MIN);
}

/** The longest first: one may begin with another. */
function secretValues(
  { TaskTemplate: { ContainerSpec: container } }: ServiceSpec,
  names: ReadonlySet<string>,
): readonly string[] {
  return (container.Env ?? [])
    .flatMap((variable) => {
      const at = variable.indexOf('=');
      const value = variable.slice(at + 1);
      const name = variable.slice(0, at);
      if (at <= 0 || value.length < VALUE_LENGTH_MIN) return [];
      if (names.has(name)) return [value, ...partsOf(value)];
      return looksSecret(name) ? [value] : [];
    })
    .toSorted((one, other) => other.length - one.length);
}

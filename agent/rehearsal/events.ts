import type { Tone } from '../cli/printer.ts';
import { textAt, valueAt } from './json.ts';

/** One line of an agent's log, for a person. */
export interface EventLine {
  readonly text: string;
  readonly tone: Tone;
}

/** How the first commit ended, as far as a line of the log tells. */
export type Outcome = 'healthy' | 'failed';

/** Pure. What a line of an agent's log says. A line that is no JSON object, or of an unknown event, is shown as it is. */
export function describeEvent(line: string): EventLine {
  const event = parseLine(line);
  const name = textAt(event, 'msg');
  if (name === undefined) return { text: line, tone: 'dim' };
  const text = (key: string): string => shown(valueAt(event, key));
  const revision = text('revision').slice(0, 10);
  const id = text('id');
  switch (name) {
    case 'agent started':
      return { text: `agent started, environment ${text('environment')}`, tone: 'plain' };
    case 'revision seen':
      return { text: `revision ${revision} "${text('subject')}"`, tone: 'strong' };
    case 'revision invalid':
      return {
        text: `revision ${revision} is invalid, nothing is applied\n${text('text').trimEnd()}`,
        tone: 'bad',
      };
    case 'warnings':
      return { text: text('text').trimEnd(), tone: 'plain' };
    case 'change applied':
      return {
        text: `${id}: ${text('verb')} ${text('target')} (${milliseconds(valueAt(event, 'ms'))})`,
        tone: 'plain',
      };
    case 'change failed':
      return { text: `${id}: ${text('target')}: ${text('why')}`, tone: 'bad' };
    case 'unit verifying':
      return { text: `${id}: ${text('tasks')}`, tone: 'dim' };
    case 'unit healthy':
      return { text: `${id}: healthy after ${seconds(valueAt(event, 'ms'))}`, tone: 'good' };
    case 'unit held':
      return { text: `${id}: held: ${text('why')}`, tone: 'plain' };
    case 'unit failed':
      return {
        text: [`${id}: failed: ${text('why')}`, text('evidence').trimEnd()]
          .filter(Boolean)
          .join('\n'),
        tone: 'bad',
      };
    case 'revision healthy':
      return {
        text: `revision ${revision} is healthy, ${seconds(valueAt(event, 'ms'))} after it was seen`,
        tone: 'good',
      };
    case 'waiting':
      return { text: `waiting: ${text('why')}`, tone: 'plain' };
    default:
      return { text: [name, ...otherFields(event)].join(' '), tone: 'plain' };
  }
}

/** Pure. Whether a line tells how a revision ended. */
export function outcomeOf(line: string): Outcome | undefined {
  switch (textAt(parseLine(line), 'msg')) {
    case 'revision healthy':
      return 'healthy';
    case 'revision invalid':
    case 'unit failed':
      return 'failed';
    case undefined:
    default:
      return undefined;
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function otherFields(event: unknown): readonly string[] {
  if (typeof event !== 'object' || event === null) return [];
  return Object.entries(event)
    .filter(([key]) => !['level', 'time', 'msg'].includes(key))
    .map(([key, value]: [string, unknown]) => `${key}=${shown(value)}`);
}

function shown(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function milliseconds(ms: unknown): string {
  return typeof ms === 'number' ? `${Math.round(ms)} ms` : 'some time';
}

function seconds(ms: unknown): string {
  return typeof ms === 'number' ? `${(ms / 1000).toFixed(1)} s` : 'some time';
}

import type { Tone } from '../cli/printer.ts';
import { heldUnits, milliseconds, nextStep, seconds, shown } from './event-words.ts';
import { parseLine, textAt, valueAt } from './json.ts';

/** One line of an agent's log, for a person. */
export interface EventLine {
  readonly text: string;
  readonly tone: Tone;
}

/** Pure. What a line of an agent's log says. A line that is no JSON object, or of an unknown event, is shown as it is. */
export function describeEvent(line: string): EventLine {
  const event = parseLine(line);
  const name = textAt(event, 'msg');
  if (name === undefined) return { text: line, tone: 'dim' };
  const known = descriptions.get(name);
  if (known === undefined) return { text: [name, ...otherFields(event)].join(' '), tone: 'plain' };
  const [tone, describe] = known;
  return { tone, text: describe(fieldsOf(event)) };
}

/** What descriptions are made of. */
interface Fields {
  /** The field of a name as text, without blanks at its end. */
  readonly text: (key: string) => string;
  readonly id: string;
  /** Its first ten digits. */
  readonly revision: string;
  /** Empty where an older agent does not say. */
  readonly of: string;
  readonly ms: unknown;
  /** Units that the brake holds: `12 units held (stack/a, stack/b, ...)`; empty where there is none. */
  readonly held: string;
  /** Sentences. */
  readonly notes: readonly string[];
}

function fieldsOf(event: unknown): Fields {
  const text = (key: string): string => shown(valueAt(event, key)).trimEnd();
  const of = text('of');
  const notes = valueAt(event, 'notes');
  return {
    text,
    id: text('id'),
    revision: text('revision').slice(0, 10),
    of: of === 'swarm' ? 'the Swarm' : of && `the ${of}`,
    ms: valueAt(event, 'ms'),
    held: heldUnits(valueAt(event, 'held')),
    notes: Array.isArray(notes) ? notes.map(shown) : [],
  };
}

const descriptions: ReadonlyMap<string, readonly [Tone, (fields: Fields) => string]> = new Map([
  ['agent started', ['plain', ({ text }) => `agent started, environment ${text('environment')}`]],
  ['agent stopped', ['plain', ({ text }) => `agent stopped: ${text('why')}`]],
  [
    'lease acquired',
    [
      'strong',
      ({ ms, text }) =>
        [
          `leads now (term ${text('term')})`,
          text('from') && `taken over from ${text('from')}`,
          typeof ms === 'number' && `${seconds(ms)} after the last sign of life`,
        ]
          .filter(Boolean)
          .join(', '),
    ],
  ],
  ['lease lost', ['bad', ({ text }) => `leads no more (term ${text('term')}): ${text('why')}`]],
  ['lease released', ['plain', ({ text }) => `gave the lead back (term ${text('term')})`]],
  ['following', ['dim', ({ text }) => `follows ${text('leader')} (term ${text('term')})`]],
  [
    'revision seen',
    ['strong', ({ revision, text }) => `revision ${revision} "${text('subject')}"`],
  ],
  [
    'revision invalid',
    [
      'bad',
      ({ revision, text }) =>
        `revision ${revision} is invalid, nothing is applied\n${text('text')}`,
    ],
  ],
  [
    'revision healthy',
    [
      'good',
      ({ revision, ms, text, held }) =>
        [
          `revision ${revision} is healthy, ${seconds(ms)} after it was seen`,
          text('quarantined') && `quarantined before: ${text('quarantined')}`,
          text('waiting') && `waiting as before: ${text('waiting')}`,
          text('suspended') && `suspended, not waited for: ${text('suspended')}`,
          held,
        ]
          .filter(Boolean)
          .join('; '),
    ],
  ],
  [
    'revision failed',
    [
      'bad',
      ({ revision, ms, text, held }) =>
        [
          [`revision ${revision} failed, ${seconds(ms)} after it was seen`, text('failed')]
            .filter(Boolean)
            .join(': '),
          text('rolledBack') && `rolled back: ${text('rolledBack')}`,
          text('waiting') && `not begun, waiting for what failed: ${text('waiting')}`,
          held,
        ]
          .filter(Boolean)
          .join('; '),
    ],
  ],
  [
    'rollout stopped',
    [
      'bad',
      ({ revision, text, held }) =>
        `the rollout of revision ${revision} is stopped: ${text('why')}; ${held}`,
    ],
  ],
  ['warnings', ['plain', ({ text }) => text('text')]],
  [
    'change applied',
    [
      'plain',
      ({ id, ms, text }) => `${id}: ${text('verb')} ${text('target')} (${milliseconds(ms)})`,
    ],
  ],
  [
    'content differs',
    ['plain', ({ id, text }) => `${id}: ${text('target')} holds another content than the file`],
  ],
  ['change failed', ['bad', ({ id, text }) => `${id}: ${text('target')}: ${text('why')}`]],
  [
    'unit verifying',
    [
      'dim',
      ({ id, text }) =>
        `${id}: ${text('rollback') === 'true' ? 'rolling back: ' : ''}${text('tasks')}`,
    ],
  ],
  ['unit adopted', ['plain', ({ id }) => `${id}: was there already and is taken over`]],
  [
    'unit superseded',
    ['plain', ({ id }) => `${id}: a newer commit came before the last one was healthy`],
  ],
  ['unit degraded', ['bad', ({ id, text }) => `${id}: degraded: ${text('tasks')}`]],
  ['unit recovered', ['good', ({ id, text }) => `${id}: recovered: ${text('tasks')}`]],
  ['unit healthy', ['good', ({ id, ms }) => `${id}: healthy after ${seconds(ms)}`]],
  ['unit held', ['plain', ({ id, text }) => `${id}: held: ${text('why')}`]],
  [
    'unit failed',
    [
      'bad',
      ({ id, text }) =>
        [`${id}: failed: ${text('why')}`, text('evidence'), nextStep(id, text('next'))]
          .filter(Boolean)
          .join('\n'),
    ],
  ],
  [
    'unit rolled back',
    [
      'good',
      ({ id, ms, revision }) =>
        `${id}: rolled back, healthy again${revision && ` as of revision ${revision}`} after ${seconds(ms)}`,
    ],
  ],
  [
    'unit taken back',
    [
      'bad',
      ({ id, text, revision }) =>
        text('because') === 'rollout'
          ? `${id}: goes back as well: too many units of revision ${revision} failed`
          : `${id}: goes back as well: ${text('because')} did, and revision ${revision} had changed both`,
    ],
  ],
  [
    'unit not taken back',
    [
      'bad',
      ({ id, text }) =>
        `${id}: stays as it is though ${text('because')}, which it depends on, went back: ${text('why')}`,
    ],
  ],
  [
    'unit stopped',
    ['bad', ({ id }) => `${id}: never healthy: what it started stands at 0, nothing is removed`],
  ],
  [
    'unit stuck',
    [
      'bad',
      ({ id, text }) =>
        [
          `${id}: stuck, the rollback failed too: ${text('why')}`,
          text('evidence'),
          `understudy retry ${id}, or another commit, ends it`,
        ]
          .filter(Boolean)
          .join('\n'),
    ],
  ],
  [
    'unit waiting',
    [
      'bad',
      ({ id, text }) =>
        `${id}: ${text('long') === 'true' ? 'still ' : ''}waits for what is outside: ${text('why')}`,
    ],
  ],
  ['unit going on', ['plain', ({ id }) => `${id}: goes on`]],
  [
    'unit removing',
    [
      'plain',
      ({ id, text }) => {
        const targets = text('targets');
        return `${id}: left the repository${targets === '' ? '' : `, is removed: ${targets}`}`;
      },
    ],
  ],
  [
    'unit making place',
    ['plain', ({ id, text }) => `${id}: is stopped, ${text('to')} takes its place`],
  ],
  [
    'unit coming back',
    ['bad', ({ id, text }) => `${id}: runs again, ${text('because')} does not take its place`],
  ],
  [
    'unit removed',
    [
      'plain',
      ({ id, ms, text }) => {
        const stays = text('stays');
        return `${id}: removed after ${seconds(ms)}${stays === '' ? '' : `; ${stays}`}`;
      },
    ],
  ],
  [
    'approval refused',
    ['bad', ({ text }) => `approve ${text('digest')} asked by ${text('by')}: ${text('why')}`],
  ],
  ['request taken', ['plain', ({ id, text }) => `${id}: ${text('verb')} asked by ${text('by')}`]],
  [
    'request refused',
    ['bad', ({ id, text }) => `${id}: ${text('verb')} asked by ${text('by')}: ${text('why')}`],
  ],
  [
    'reconcile taken',
    [
      'plain',
      ({ revision, text }) =>
        `the repository was looked at for ${text('by')}: ${
          text('why') || `revision ${revision}${text('status') === 'invalid' ? ' is invalid' : ''}`
        }`,
    ],
  ],
  ['record notes', ['bad', ({ notes }) => notes.map((note) => `record: ${note}`).join('\n')]],
  ['unit notes', ['plain', ({ id, notes }) => notes.map((note) => `${id}: ${note}`).join('\n')]],
  ['waiting', ['plain', ({ of, text }) => `waiting${of && ` for ${of}`}: ${text('why')}`]],
  [
    'frozen',
    [
      'bad',
      ({ text }) =>
        `frozen by ${text('by')}, nothing is called until ${text('until') || 'understudy unfreeze'}: ${text('why')}`,
    ],
  ],
  ['unfrozen', ['good', ({ text }) => `the freeze is over: it was ${text('was')}`]],
  ['going on', ['plain', ({ of }) => `${of || 'what was waited for'} can be read again`]],
]);

function otherFields(event: unknown): readonly string[] {
  if (typeof event !== 'object' || event === null) return [];
  return Object.entries(event)
    .filter(([key]) => !['level', 'time', 'msg'].includes(key))
    .map(([key, value]: [string, unknown]) => `${key}=${shown(value)}`);
}

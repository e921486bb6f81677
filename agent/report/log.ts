import { pino } from 'pino';

import { formatText } from '../core/format.ts';
import type { AgentEvent, Reporter } from '../reconcile/ports.ts';

/** Levels of pino that the settings may name. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Log as JSON lines on `out`: a constant `msg` and fields beside it. */
export function logReporter(level: LogLevel, out: { write(text: string): void }): Reporter {
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, out);
  return {
    tell: (told) => {
      const { event, ...fields } = told;
      log[levelOf(told)](rounded(withText(told, fields)), event);
    },
  };
}

function levelOf(told: AgentEvent): 'info' | 'warn' | 'error' {
  if (told.event === 'unit waiting' && told.long) return 'error';
  switch (told.event) {
    case 'unit failed':
    case 'unit stuck':
    case 'unit stopped':
    case 'revision failed':
    case 'revision invalid':
      return 'error';
    case 'change failed':
    case 'unit degraded':
    case 'rollout stopped':
    case 'unit held':
    case 'unit notes':
    case 'unit rolled back':
    case 'unit taken back':
    case 'unit not taken back':
    case 'unit waiting':
    case 'unit removing':
    case 'unit making place':
    case 'unit coming back':
    case 'approval refused':
    case 'request refused':
    case 'record notes':
    case 'lease lost':
    case 'waiting':
    case 'frozen':
    case 'warnings':
      return 'warn';
    case 'agent started':
    case 'agent stopped':
    case 'lease acquired':
    case 'lease released':
    case 'following':
    case 'revision seen':
    case 'change applied':
    case 'contents collected':
    case 'content differs':
    case 'unit verifying':
    case 'unit healthy':
    case 'unit recovered':
    case 'unit adopted':
    case 'unit superseded':
    case 'unit going on':
    case 'unit removed':
    case 'request taken':
    case 'reconcile taken':
    case 'revision healthy':
    case 'going on':
    case 'unfrozen':
      return 'info';
  }
}

/** Fractions of a millisecond help nobody. */
function rounded(fields: object): object {
  return 'ms' in fields && typeof fields.ms === 'number'
    ? { ...fields, ms: Math.round(fields.ms) }
    : fields;
}

/** Diagnostics go out as people read them, beside the data. */
function withText(told: AgentEvent, fields: object): object {
  if (told.event !== 'revision invalid' && told.event !== 'warnings') return fields;
  return { ...fields, text: formatText(told.diagnostics, { colour: false }) };
}

import { describeEvent, type EventLine } from './events.ts';
import { parseLine, textAt } from './json.ts';

/** What every agent says alike: it is shown when the first of them says it. */
const alike: ReadonlySet<string> = new Set(['revision seen', 'revision invalid', 'warnings']);

/** What only the agent that acts says, of what all of them share: whose words they are does not matter. */
const shared = /^(unit|change|revision|request|record)\b/;

/**
 * Pure but for what it keeps of what was said. Makes one voice of what several agents say: gives what a person is shown of
 * a line, or nothing. `running` are the hosts whose agents were at work before, `started` those of which the start is shown.
 */
export function openChorus(
  running: readonly string[],
  started: readonly string[],
): (host: string, line: string) => EventLine | undefined {
  const heard = new Set(running);
  const shown = new Map<string, number>();
  const said = new Map<string, Map<string, number>>();
  const several = running.length + started.length > 1;
  let begun = false;

  /** The n-th time that agents say the same is shown when the first of them says it for the n-th time. */
  function isNews(host: string, key: string): boolean {
    const own = said.get(host) ?? new Map<string, number>();
    const times = (own.get(key) ?? 0) + 1;
    said.set(host, own.set(key, times));
    if (times <= (shown.get(key) ?? 0)) return false;
    shown.set(key, times);
    return true;
  }

  function start(host: string): 'hidden' | 'named' | 'all' {
    said.delete(host);
    if (heard.has(host) || started.length < 2) return 'named';
    if (begun) return 'hidden';
    begun = true;
    return 'all';
  }

  return (host, line) => {
    const event = parseLine(line);
    const name = textAt(event, 'msg') ?? '';
    const { text, tone } = describeEvent(line);
    const named = { text: several ? `${host}: ${text}` : text, tone };
    if (name === 'agent started') {
      const how = start(host);
      heard.add(host);
      if (how === 'hidden') return undefined;
      return how === 'all' ? { text, tone } : named;
    }
    if (alike.has(name)) {
      const key = `${name} ${textAt(event, 'revision') ?? ''}`;
      return isNews(host, key) ? { text, tone } : undefined;
    }
    return shared.test(name) ? { text, tone } : named;
  };
}

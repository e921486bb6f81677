import { parseLine, textAt } from './json.ts';

/** How a revision ended. */
export interface Outcome {
  readonly revision: string;
  readonly status: 'healthy' | 'failed';
}

/** What an agent said of a revision since it saw it last. */
export interface Account {
  /** Undefined while it is open. */
  readonly outcome: Outcome | undefined;
  /** The lines that tell it, at most 40: that it was seen, what failed, how it ended. */
  readonly lines: readonly string[];
}

/** Pure. The revision that an agent says it sees, if the line says so. */
export function seenIn(line: string): string | undefined {
  const event = parseLine(line);
  return textAt(event, 'msg') === 'revision seen' ? textAt(event, 'revision') : undefined;
}

/** Pure. How a revision ended, if a line tells. */
export function outcomeOf(line: string): Outcome | undefined {
  const event = parseLine(line);
  const revision = textAt(event, 'revision');
  if (revision === undefined) return undefined;
  switch (textAt(event, 'msg')) {
    case 'revision healthy':
      return { revision, status: 'healthy' };
    case 'revision invalid':
    case 'revision failed':
      return { revision, status: 'failed' };
    case undefined:
    default:
      return undefined;
  }
}

/** Pure. What a log says of a revision. An agent that was started again, or saw another revision since, says nothing. */
export function accountOf(lines: readonly string[], revision: string): Account {
  let seen: string | undefined;
  let failures: string[] = [];
  let account: Account = { outcome: undefined, lines: [] };
  for (const line of lines) {
    const name = textAt(parseLine(line), 'msg');
    if (name === 'agent started' || name === 'revision seen') {
      seen = seenIn(line) === revision ? line : undefined;
      failures = [];
      account = { outcome: undefined, lines: [] };
    }
    if (seen === undefined) continue;
    if (name === 'unit failed' || name === 'change failed')
      failures = [...failures, line].slice(-38);
    const outcome = outcomeOf(line);
    if (outcome?.revision !== revision) continue;
    account = { outcome, lines: [seen, ...failures, line] };
    failures = [];
  }
  return account;
}

/** Pure. Of what several agents say of one revision what was said last; undefined where none says how it ended. */
export function lastAccount(accounts: readonly Account[]): Account | undefined {
  const ended = accounts.filter(({ outcome }) => outcome !== undefined);
  const saidAt = ({ lines }: Account): string =>
    textAt(parseLine(lines.at(-1) ?? ''), 'time') ?? '';
  return ended
    .toSorted((a, b) => (saidAt(a) < saidAt(b) ? -1 : saidAt(a) > saidAt(b) ? 1 : 0))
    .at(-1);
}

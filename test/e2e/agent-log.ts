import { parseLine } from '../../agent/rehearsal/json.ts';
import { followAgents, type AgentSource } from '../../agent/rehearsal/stream.ts';
import type { Placed } from '../../agent/rehearsal/merge.ts';

/** One line of an agent's log. */
export interface LogLine {
  readonly msg: string;
  /** Of the agent. */
  readonly host: string;
  readonly [field: string]: unknown;
}

/** Reads logs of agents as they grow, in the order of time; every question goes on from where the last answer stood. */
export class AgentLog {
  readonly #lines: AsyncGenerator<Placed>;
  readonly #stop = new AbortController();
  readonly #patienceMs: number;
  readonly read: LogLine[] = [];

  constructor(sources: readonly AgentSource[], patienceMs = 240_000) {
    this.#lines = followAgents(sources, this.#stop.signal);
    this.#patienceMs = patienceMs;
  }

  /** The next line with this event that fits. Fails when patience is over, with what was read instead. */
  async until(msg: string, fits: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    const from = this.read.length;
    const late = setTimeout(() => {
      this.#stop.abort();
    }, this.#patienceMs);
    try {
      for (;;) {
        const next = await this.#lines.next();
        if (next.done === true) break;
        const line = lineOf(next.value);
        if (line === undefined) continue;
        this.read.push(line);
        if (line.msg === msg && fits(line)) return line;
      }
    } finally {
      clearTimeout(late);
    }
    const seen = this.read.slice(from).map((line) => JSON.stringify(line));
    throw new Error(`no \`${msg}\` came; instead:\n${seen.join('\n')}`);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#lines.return(undefined);
  }
}

/** What is no event (a process that crashes says why) is a line without one. */
function lineOf({ host, line }: Placed): LogLine | undefined {
  if (line === undefined) return undefined;
  const event = parseLine(line);
  return typeof event === 'object' && event !== null
    ? { msg: '', ...event, host }
    : { msg: '', text: line, host };
}

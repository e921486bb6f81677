import { followLines, type StageAgent } from '../../agent/rehearsal/agent-process.ts';

/** One line of the agent's log. */
export interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Reads an agent's log as it grows; every question goes on from where the last answer stood. */
export class AgentLog {
  readonly #lines: AsyncGenerator<string>;
  readonly #stop = new AbortController();
  readonly read: LogLine[] = [];

  constructor(agent: StageAgent, offset = 0) {
    const ended = async (): Promise<boolean> => !(await agent.isAlive());
    this.#lines = followLines(agent.log, offset, ended, this.#stop.signal);
  }

  /** The next line with this event that fits. Fails after two minutes with what was read instead. */
  async until(msg: string, fits: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    const from = this.read.length;
    const late = setTimeout(() => {
      this.#stop.abort();
    }, 120_000);
    try {
      for (;;) {
        const next = await this.#lines.next();
        if (next.done === true) break;
        const line: LogLine = JSON.parse(next.value);
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

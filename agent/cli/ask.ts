import { askUsage, subjectOf, type Verb, wantedOf } from './ask-options.ts';
import type { AskIo, Asking, Ended } from './ask-ports.ts';
import { type Asked, putRequest } from './ask-put.ts';
import { awaitTaken } from './ask-wait.ts';
import { createPrinter } from './printer.ts';

/** Runs `understudy retry`, `rollback`, `suspend`, `resume` or `approve`; gives the exit code. */
export async function askCommand(
  verb: Verb,
  args: readonly string[],
  io: AskIo,
  signal: AbortSignal,
): Promise<number> {
  const wanted = wantedOf(verb, args, io.environment);
  if (wanted === 'help') {
    io.out(askUsage[verb]);
    return 0;
  }
  if ('wrong' in wanted) {
    io.err(`understudy ${verb}: ${wanted.wrong}; understudy ${verb} --help says more\n`);
    return 2;
  }
  const desk = io.open(wanted.socket);
  const output = wanted.json ? { ...io, out: () => undefined, err: () => undefined } : io;
  const print = createPrinter(output, () => io.clock.nowMs());
  try {
    const ended = await ask({ wanted, desk, io, print }, signal);
    tell(ended, { wanted, io, print });
    return ended.code;
  } finally {
    desk.close();
  }
}

async function ask(asking: Asking, signal: AbortSignal): Promise<Ended> {
  let asked: Asked | undefined;
  try {
    const put = await putRequest(asking, signal);
    if (put.status !== 'put') return put;
    asked = put;
    asking.print.line(`${subjectOf(asking.wanted)}: asked ${put.what}`);
    if (put.before?.suspended !== undefined && put.request.verb !== 'resume') {
      asking.print.line('it is suspended: nothing is called before understudy resume', 'dim');
    }
    if (asking.wanted.waitMs === undefined) return { status: 'asked', code: 0 };
    return await awaitTaken(asking, put, asking.wanted.waitMs, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    return asked === undefined
      ? { status: 'refused', code: 1, why: 'stopped; perhaps it was asked already' }
      : { status: 'asked', code: 1, why: 'stopped waiting; the request stays' };
  }
}

function tell(
  { status, why, more = [] }: Ended,
  { wanted, io, print }: Pick<Asking, 'wanted' | 'io' | 'print'>,
): void {
  const { verb, json } = wanted;
  if (json) {
    const whole = [why, ...more.map((line) => line.trim())].filter((one) => one !== undefined);
    const said = whole.length === 0 ? {} : { why: whole.join(' ') };
    const of = wanted.verb === 'approve' ? { digest: wanted.digest } : { unit: wanted.unit };
    io.out(`${JSON.stringify({ ...of, verb, status, ...said })}\n`);
    return;
  }
  if (why !== undefined) print.error(`understudy ${verb}: ${[why, ...more].join('\n')}`);
  if (status === 'taken') print.line(`taken; ${next[verb]}`, 'good');
  else if (why === undefined) print.line('an agent takes it as soon as one looks');
}

const next: Readonly<Record<Verb, string>> = {
  approve: "the agent's log says how it goes on: `unit removed`, or `unit healthy`",
  retry: "the agent's log says how it goes on: `unit healthy`, or `unit failed` once more",
  rollback: "the agent's log says how it goes on: `unit rolled back`, or `unit stuck`",
  suspend: 'nothing is called for it any more until understudy resume',
  resume: 'it goes on where it stood',
};

import type { LookAnswer } from '../reconcile/history.ts';
import type { AskIo } from './ask-ports.ts';
import { createPrinter } from './printer.ts';
import { reconcileUsage, reconcileWantedOf } from './reconcile-options.ts';
import type { ReconcileEnded, Reconciling } from './reconcile-ports.ts';
import { putReconcile } from './reconcile-put.ts';
import { awaitLook, awaitSettled } from './reconcile-wait.ts';
import { shortRevision } from './table.ts';

/** Runs `understudy reconcile`; gives the exit code. */
export async function reconcileCommand(
  args: readonly string[],
  io: AskIo,
  signal: AbortSignal,
): Promise<number> {
  const wanted = reconcileWantedOf(args, io.environment, io.colour);
  if (wanted === 'help') {
    io.out(reconcileUsage);
    return 0;
  }
  if ('wrong' in wanted) {
    io.err(`understudy reconcile: ${wanted.wrong}; understudy reconcile --help says more\n`);
    return 2;
  }
  const silent = { out: () => undefined, err: () => undefined, colour: false };
  const output = wanted.json ? silent : { ...io, colour: wanted.colour };
  const print = createPrinter(output, () => io.clock.nowMs());
  const desk = io.open(wanted.socket);
  const untilMs = io.clock.nowMs() + wanted.timeoutMs;
  const asking: Reconciling = { wanted, desk, io, print, nonce: io.random(), untilMs };
  try {
    const ended = await reconcile(asking, signal);
    tell(ended, asking);
    return ended.code;
  } catch (error) {
    if (!signal.aborted) throw error;
    tell({ status: 'asked', code: 1, why: 'stopped; perhaps it was asked already' }, asking);
    return 1;
  } finally {
    desk.close();
  }
}

async function reconcile(asking: Reconciling, signal: AbortSignal): Promise<ReconcileEnded> {
  const { wanted, print } = asking;
  const refused = await putReconcile(asking, signal);
  if (refused !== undefined) return refused;
  print.line('asked to look at the repository now');
  if (wanted.until === 'asked') return { status: 'asked', code: 0 };
  const looked = await awaitLook(asking, signal);
  if (looked.status !== 'answered') return looked;
  const ended = endOf(looked.answer);
  if (wanted.until === 'looked' || ended.code !== 0 || ended.revision === undefined) return ended;
  print.line(`the repository holds revision ${shortRevision(ended.revision)}`);
  return awaitSettled(asking, ended.revision, signal);
}

function endOf(answer: LookAnswer): ReconcileEnded {
  switch (answer.status) {
    case 'valid':
      return { status: 'looked', code: 0, revision: answer.revision };
    case 'invalid': {
      const { revision } = answer;
      const why = `revision ${shortRevision(revision)} is invalid, so the last valid one stands; the log and understudy validate say where`;
      return { status: 'looked', code: 3, revision, why };
    }
    case 'unreadable':
      return {
        status: 'looked',
        code: 1,
        why: `the agent cannot read the repository: ${answer.why}`,
      };
  }
}

function tell(ended: ReconcileEnded, { wanted, io, print }: Reconciling): void {
  const { code: _code, ...said } = ended;
  if (wanted.json) {
    io.out(`${JSON.stringify({ verb: 'reconcile', ...said })}\n`);
    return;
  }
  const { status, why, revision = '', outcome = '' } = ended;
  if (why !== undefined) print.error(`understudy reconcile: ${why}`);
  else if (status === 'asked') print.line('an agent looks as soon as it sees that');
  else if (status === 'looked') {
    print.line(
      `the repository holds revision ${shortRevision(revision)}; understudy get says how it does`,
      'good',
    );
  } else print.line(`revision ${shortRevision(revision)} has settled: ${outcome}`, 'good');
}

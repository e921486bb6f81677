import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Printer } from '../cli/printer.ts';
import { adviceText, findPage } from './advice.ts';
import { followLines, readLines, type StageAgent } from './agent-process.ts';
import { accountOf, describeEvent, outcomeOf, seenIn, type Outcome } from './events.ts';
import { filesOf } from './lower.ts';
import { planStage, projectFolder, usualPackages, type StagePlan } from './plan.ts';
import { readPidFile, waitGone } from './processes.ts';
import { StageError } from './run.ts';
import { shellWord } from './shell.ts';
import type { Stage } from './stage.ts';
import { openWorkingCopy } from './working-copy.ts';

/** Milliseconds that `--once` waits for a revision. */
const onceMs = 600_000;
/** Milliseconds that we wait for another process to take the stage down. */
const goneMs = 30_000;

/** An agent whose lines are shown. */
export interface Followed {
  readonly stage: Stage;
  readonly agent: StageAgent;
  /** Bytes of the log that were there before. */
  readonly offset: number;
  /** It ran before this run: what its log says already is its own word. */
  readonly ranBefore: boolean;
  /** The first commit, if this run pushed it. */
  readonly revision: string | undefined;
}

/** Shows the agent's lines until it ends or the person stops it; says what to try. Gives the exit code. */
export async function follow(
  followed: Followed,
  print: Printer,
  signal: AbortSignal,
): Promise<number> {
  const { stage, revision } = followed;
  if (revision === undefined) await advise(stage, print, signal);
  let advised = revision === undefined;
  for await (const line of lines(followed, signal)) {
    tell(line, (text, tone) => print.line(text, tone));
    if (advised || outcomeOf(line) === undefined) continue;
    advised = true;
    await advise(stage, print, signal);
  }
  if (!signal.aborted) return await afterEnd(followed, print);
  const call = again(stage.plan);
  print.plain(
    `\nThe stage stays up, and the agent goes on. ${call} shows it again, ${call} --down removes it.`,
  );
  return 0;
}

/**
 * Shows how the newest revision of the branch ended: from the log if the agent said so already, else as it comes. Gives
 * the exit code: 0 if it is healthy. Throws `StageError` where the Git server does not answer.
 */
export async function report(
  followed: Followed,
  print: Printer,
  signal: AbortSignal,
): Promise<number> {
  const { stage, agent } = followed;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(onceMs)]);
  let newest = followed.revision ?? (await newestRevision(stage, limit));
  const told = followed.ranBefore ? await readLines(agent.log, followed.offset) : [];
  const account = accountOf(told, newest);
  if (account.outcome !== undefined) {
    print.plain('the newest revision of the branch, as the agent told of it:');
    for (const line of account.lines) tell(line, (text, tone) => print.plain(text, tone));
    return codeOf(account.outcome);
  }
  if (followed.revision === undefined)
    print.line(`waiting for the newest revision of the branch, ${newest.slice(0, 10)}`);
  for await (const line of lines(followed, limit)) {
    tell(line, (text, tone) => print.line(text, tone));
    const seen = seenIn(line);
    // Another one was pushed meanwhile, or this one just before it was: only Git knows.
    if (seen !== undefined && seen !== newest) newest = await newestRevision(stage, limit);
    const outcome = outcomeOf(line);
    if (outcome?.revision === newest) return codeOf(outcome);
  }
  if (!limit.aborted) return await afterEnd(followed, print);
  const why = signal.aborted ? 'stopped' : `there was none within ${onceMs / 60_000} min`;
  print.error(`no outcome of revision ${newest.slice(0, 10)}: ${why}`);
  print.error(`the stage stays up; ${again(stage.plan)} shows it again`);
  return 1;
}

/** How the command was called, for another call that means the same stage. */
export function again(plan: StagePlan): string {
  const usual = planStage({ packages: plan.packages });
  const options = [
    ...(plan.name === usual.name ? [] : [`--name ${plan.name}`]),
    ...(plan.subnet === usual.subnet ? [] : [`--subnet ${plan.subnet}`]),
    ...(plan.folder === planStage({ name: plan.name, packages: plan.packages }).folder
      ? []
      : [`--folder ${plan.folder}`]),
    ...(plan.packages === usualPackages ? [] : [`--packages ${shellWord(plan.packages)}`]),
  ];
  return [shellWord(join(projectFolder, 'rehearse')), ...options].join(' ');
}

function lines({ agent, offset }: Followed, signal: AbortSignal): AsyncGenerator<string> {
  return followLines(agent.log, offset, async () => !(await agent.isAlive()), signal);
}

function tell(line: string, print: Printer['line']): void {
  const { text, tone } = describeEvent(line);
  print(text, tone);
}

function codeOf({ status }: Outcome): number {
  return status === 'healthy' ? 0 : 1;
}

async function newestRevision(stage: Stage, signal: AbortSignal): Promise<string> {
  const copy = openWorkingCopy(join(stage.folder, 'infra'));
  const listed = await copy.git(['ls-remote', 'origin', 'refs/heads/main'], signal);
  const [revision = ''] = listed.split('\t');
  if (revision === '') throw new StageError('the repository has no branch `main`');
  return revision;
}

/** The agent ended although nobody stopped us: either the stage is being taken down, or something is wrong. */
async function afterEnd({ stage, agent }: Followed, print: Printer): Promise<number> {
  const taker = await readPidFile(filesOf(stage.plan).owner);
  if (taker === undefined && (await exists(stage.folder))) {
    print.error(`the agent on ${agent.host} ended; its last lines:`);
    for (const line of (await readLines(agent.log)).slice(-5))
      print.error(describeEvent(line).text.replaceAll(/^/gm, '  '));
    const call = again(stage.plan);
    print.error(
      `the stage is still up: ${call} starts the agent again, ${call} --down removes all`,
    );
    return 1;
  }
  if (taker !== undefined) await waitGone([taker], goneMs);
  print.plain('\nThe stage was taken down.');
  return 0;
}

async function advise(stage: Stage, print: Printer, signal: AbortSignal): Promise<void> {
  const page = await findPage(stage, signal).catch(() => undefined); // advice is complete without it
  const named = { folder: stage.folder, page, again: again(stage.plan), project: projectFolder };
  print.plain(`\n${adviceText(named)}\n`);
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

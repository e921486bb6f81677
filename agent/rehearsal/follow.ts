import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Printer } from '../cli/printer.ts';
import { accountOf, lastAccount, outcomeOf, seenIn, type Outcome } from './account.ts';
import { adviceText, findPage } from './advice.ts';
import { openChorus } from './chorus.ts';
import { describeEvent } from './events.ts';
import { readLines } from './log-file.ts';
import { filesOf } from './lower.ts';
import type { Placed } from './merge.ts';
import { usualShape } from './mysql/shape.ts';
import { planStage, projectFolder, usualPackages, type StagePlan } from './plan.ts';
import { readPidFile, waitGone } from './processes.ts';
import { StageError } from './run.ts';
import { shellWord } from './shell.ts';
import type { Stage } from './stage.ts';
import { followAgents, type AgentSource } from './stream.ts';
import { openWorkingCopy } from './working-copy.ts';

/** Milliseconds that `--once` waits for a revision. */
const onceMs = 600_000;
/** Milliseconds that we wait for another process to take the stage down. */
const goneMs = 30_000;

/** An agent whose lines are shown. */
export interface FollowedAgent extends AgentSource {
  /** It ran before this run: what its log says already is its own word. */
  readonly ranBefore: boolean;
}

/** The agents whose lines are shown together. */
export interface Followed {
  readonly stage: Stage;
  readonly agents: readonly FollowedAgent[];
  /** The first commit, if this run pushed it. */
  readonly revision: string | undefined;
}

/** Shows the agents' lines until all end or the person stops it; says what to try. Gives the exit code. */
export async function follow(
  followed: Followed,
  print: Printer,
  signal: AbortSignal,
): Promise<number> {
  const { stage, revision } = followed;
  if (revision === undefined) await advise(stage, print, signal);
  let advised = revision === undefined;
  const show = shower(followed, print);
  for await (const told of followAgents(followed.agents, signal)) {
    show(told);
    if (advised || outcomeOf(told.line ?? '') === undefined) continue;
    advised = true;
    await advise(stage, print, signal);
  }
  if (!signal.aborted) return await afterEnd(followed, print);
  const call = again(stage.plan);
  print.plain(
    `\nThe stage stays up, and the agents go on. ${call} shows it again, ${call} --down removes it.`,
  );
  return 0;
}

/**
 * Shows how the newest revision of the branch ended: from the logs if an agent said so already, else as it comes. Gives
 * the exit code: 0 if it is healthy. Throws `StageError` where the Git server does not answer.
 */
export async function report(
  followed: Followed,
  print: Printer,
  signal: AbortSignal,
): Promise<number> {
  const { stage } = followed;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(onceMs)]);
  let newest = followed.revision ?? (await newestRevision(stage, limit));
  const account = await toldOf(followed, newest);
  if (account?.outcome !== undefined) {
    print.plain('the newest revision of the branch, as the agents told of it:');
    for (const line of account.lines) {
      const { text, tone } = describeEvent(line);
      print.plain(text, tone);
    }
    return codeOf(account.outcome);
  }
  if (followed.revision === undefined)
    print.line(`waiting for the newest revision of the branch, ${newest.slice(0, 10)}`);
  const show = shower(followed, print);
  for await (const told of followAgents(followed.agents, limit)) {
    show(told);
    const line = told.line ?? '';
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
    ...shapeOf(plan),
    ...(plan.packages === usualPackages ? [] : [`--packages ${shellWord(plan.packages)}`]),
  ];
  return [shellWord(join(projectFolder, 'rehearse')), ...options].join(' ');
}

/** What it has beside managers. */
function shapeOf({ mysql, router, ceph, hosts }: StagePlan): readonly string[] {
  const workers = hosts.filter(({ role }) => role === 'worker').length;
  if (ceph !== undefined && router !== undefined && workers === 3) return ['--full'];
  return [
    ...(mysql === usualShape ? [] : [`--mysql ${mysql ?? 'none'}`]),
    ...(ceph === undefined ? [] : ['--ceph']),
  ];
}

/** What the agents that ran before say of a revision. */
async function toldOf({ agents }: Followed, revision: string) {
  const logs = await Promise.all(
    agents
      .filter(({ ranBefore }) => ranBefore)
      .map(async ({ log, offset }) => await readLines(log, offset)),
  );
  return lastAccount(logs.map((lines) => accountOf(lines, revision)));
}

/** Shows what is told, as one voice. */
function shower({ stage, agents }: Followed, print: Printer): (told: Placed) => void {
  const hosts = (ranBefore: boolean): readonly string[] =>
    agents.filter((one) => one.ranBefore === ranBefore).map(({ host }) => host);
  const chorus = openChorus(hosts(true), hosts(false));
  return ({ host, line }) => {
    if (line === undefined) {
      if (agents.length > 1)
        print.line(`${host}: its agent ended; ${again(stage.plan)} starts it again`, 'bad');
      return;
    }
    const shown = chorus(host, line);
    if (shown !== undefined) print.line(shown.text, shown.tone);
  };
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

/** All agents ended although nobody stopped us: either the stage is being taken down, or something is wrong. */
async function afterEnd({ stage, agents }: Followed, print: Printer): Promise<number> {
  const taker = await readPidFile(filesOf(stage.plan).owner);
  if (taker === undefined && (await exists(stage.folder))) {
    for (const { host, log } of agents) {
      print.error(`the agent on ${host} ended; its last lines:`);
      for (const line of (await readLines(log)).slice(-5))
        print.error(describeEvent(line).text.replaceAll(/^/gm, '  '));
    }
    const call = again(stage.plan);
    print.error(
      `the stage is still up: ${call} starts the agents again, ${call} --down removes all`,
    );
    return 1;
  }
  if (taker !== undefined) await waitGone([taker], goneMs);
  print.plain('\nThe stage was taken down.');
  return 0;
}

async function advise(stage: Stage, print: Printer, signal: AbortSignal): Promise<void> {
  const page = await findPage(stage, signal).catch(() => undefined); // advice is complete without it
  const place = { folder: stage.folder, again: again(stage.plan), project: projectFolder };
  const router = stage.plan.router !== undefined;
  const named = { ...place, page, database: stage.mysql !== undefined, router };
  print.plain(`\n${adviceText(named)}\n`);
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

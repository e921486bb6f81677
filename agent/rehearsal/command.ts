import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createPrinter, type Output, type Printer } from '../cli/printer.ts';
import { adviceText, findPage } from './advice.ts';
import { findAgent, followLines, logSize, type StageAgent } from './agent-process.ts';
import { parseRehearse, rehearseUsage, type Wanted } from './arguments.ts';
import { describeEvent, outcomeOf, type Outcome } from './events.ts';
import { filesOf } from './lower.ts';
import { planStage, projectFolder, StageOptionError, type StagePlan } from './plan.ts';
import { step } from './progress.ts';
import { readPidFile, waitGone } from './processes.ts';
import { lastLines, StageError } from './run.ts';
import { attachStage, lowerStage, raiseStage, type Stage } from './stage.ts';

export { rehearseUsage } from './arguments.ts';

/** Milliseconds that `--once` waits for the first commit. */
const onceMs = 600_000;
/** Milliseconds that we wait for another process to take the stage down. */
const goneMs = 30_000;

/** The command \`rehearse\`: builds the stage, shows the first commit, follows the agent. Gives the exit code. */
export async function rehearseCommand(
  args: readonly string[],
  io: Output,
  signal: AbortSignal,
): Promise<number> {
  const print = createPrinter(io, () => performance.now());
  const wanted = parseRehearse(args);
  if (typeof wanted === 'string') {
    print.error(wanted);
    io.err(rehearseUsage);
    return 2;
  }
  if (wanted.help) {
    io.out(rehearseUsage);
    return 0;
  }
  try {
    if (wanted.down) return await lower(wanted, print);
    return await rehearse(wanted, print, signal);
  } catch (cause) {
    return failed(cause, print, signal);
  }
}

async function lower(wanted: Wanted, print: Printer): Promise<number> {
  const left = await lowerStage({ ...wanted.stage, removePackages: !wanted.keepPackages }, print);
  return left.length === 0 ? 0 : 1;
}

function failed(cause: unknown, print: Printer, signal: AbortSignal): number {
  if (cause instanceof StageOptionError) {
    print.error(cause.message);
    return 2;
  }
  if (signal.aborted) {
    print.error(
      'stopped before the stage stood; ./rehearse begins anew, ./rehearse --down removes what is there',
    );
    return 1;
  }
  if (!(cause instanceof StageError)) throw cause;
  print.error(cause.message);
  if (cause.evidence !== '') print.error(cause.evidence);
  if (cause.cause instanceof Error) print.error(cause.cause.message);
  print.error('./rehearse begins anew, ./rehearse --down removes what is there');
  return 1;
}

async function rehearse(wanted: Wanted, print: Printer, signal: AbortSignal): Promise<number> {
  const standing = wanted.fresh ? undefined : await attachStage(wanted.stage, signal);
  if (standing !== undefined)
    print.line(`the stage \`${standing.plan.name}\` is up already; --fresh builds it anew`);
  const stage = standing ?? (await raiseStage(wanted.stage, print, signal));
  if (standing === undefined) print.line('the stage stands', 'good');
  if (!wanted.agent) {
    print.plain(
      `\nThe stage's Docker command line: ${join(stage.folder, 'docker')}\nTo remove it: ${again(stage.plan)} --down`,
    );
    return 0;
  }
  const revision = await seed(stage, print, signal);
  const { agent, offset } = await agentOf(stage, wanted.once, print);
  return await follow({ stage, agent, offset, revision, once: wanted.once }, print, signal);
}

/** Pushes the template as the first commit, unless the person has a working copy already. */
async function seed(
  stage: Stage,
  print: Printer,
  signal: AbortSignal,
): Promise<string | undefined> {
  const folder = join(stage.folder, 'infra');
  if (await exists(join(folder, '.git', 'refs', 'remotes', 'origin', 'main'))) return undefined;
  return await step<string>(
    print,
    (revision) => `repo-template is pushed as ${revision.slice(0, 10)}`,
    async (doing) => {
      doing('pushing the first commit');
      const copy = await stage.workingCopy(folder, join(projectFolder, 'repo-template'), signal);
      await useRegistry(join(folder, 'environments', 'rehearsal.yaml'), stage.registry);
      return await copy.commitAndPush('Deploy the template', signal);
    },
  );
}

/** The template names the registry of a stage in the usual network. */
async function useRegistry(file: string, registry: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replaceAll(planStage({}).registry, registry));
}

async function agentOf(
  stage: Stage,
  once: boolean,
  print: Printer,
): Promise<{ agent: StageAgent; offset: number }> {
  const running = await findAgent(stage.plan);
  if (running !== undefined) {
    print.line(`the agent on ${running.host} runs (process ${running.pid})`);
    // With --once there is nothing to wait for but what was said already.
    return { agent: running, offset: once ? 0 : await logSize(running.log) };
  }
  const log = join(stage.plan.hosts[0]?.folder ?? '', 'agent', 'agent.log');
  const offset = await logSize(log);
  return { agent: await stage.startAgent(), offset };
}

interface Followed {
  readonly stage: Stage;
  readonly agent: StageAgent;
  /** Bytes of the log that were there before. */
  readonly offset: number;
  /** The first commit, if this run pushed it. */
  readonly revision: string | undefined;
  readonly once: boolean;
}

/** Shows the agent's lines until it ends, the person stops it, or, with `once`, the first outcome is there. */
async function follow(followed: Followed, print: Printer, signal: AbortSignal): Promise<number> {
  const { stage, agent, once } = followed;
  const limit = once ? AbortSignal.any([signal, AbortSignal.timeout(onceMs)]) : signal;
  let outcome: Outcome | undefined;
  if (followed.revision === undefined && !once) await advise(stage, print, limit);
  const ended = async (): Promise<boolean> => !(await agent.isAlive());
  for await (const line of followLines(agent.log, followed.offset, ended, limit)) {
    const { text, tone } = describeEvent(line);
    print.line(text, tone);
    const news = outcome === undefined ? outcomeOf(line) : undefined;
    if (news === undefined) continue;
    outcome = news;
    if (once) return outcome === 'healthy' ? 0 : 1;
    if (followed.revision !== undefined) await advise(stage, print, limit);
  }
  if (signal.aborted) {
    print.plain(
      `\nThe stage stays up, and the agent goes on. ${again(stage.plan)} shows it again, ${again(stage.plan)} --down removes it.`,
    );
    return 0;
  }
  if (limit.aborted)
    throw new StageError(`the first commit had no outcome within ${onceMs / 60_000} min`);
  return await afterEnd(followed, print);
}

/** The agent ended although nobody stopped us: either the stage is being taken down, or something is wrong. */
async function afterEnd({ stage, agent }: Followed, print: Printer): Promise<number> {
  const taker = await readPidFile(filesOf(stage.plan).owner);
  if (taker === undefined && (await exists(stage.folder))) {
    throw new StageError('the agent ended', {
      evidence: lastLines(await readFile(agent.log, 'utf8'), 5),
    });
  }
  if (taker !== undefined) await waitGone([taker], goneMs);
  print.plain('\nThe stage was taken down.');
  return 0;
}

async function advise(stage: Stage, print: Printer, signal: AbortSignal): Promise<void> {
  const page = await findPage(stage, signal).catch(() => undefined); // advice is complete without it
  print.plain(`\n${adviceText(stage.folder, page, again(stage.plan))}\n`);
}

/** How the command was called, for another call that means the same stage. */
function again(plan: StagePlan): string {
  const usual = planStage({});
  const options = [
    ...(plan.name === usual.name ? [] : [`--name ${plan.name}`]),
    ...(plan.subnet === usual.subnet ? [] : [`--subnet ${plan.subnet}`]),
    ...(plan.folder === planStage({ name: plan.name }).folder ? [] : [`--folder ${plan.folder}`]),
    ...(plan.packages === usual.packages ? [] : [`--packages ${plan.packages}`]),
  ];
  return [join(projectFolder, 'rehearse'), ...options].join(' ');
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

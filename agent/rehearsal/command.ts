import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createPrinter, type Output, type Printer } from '../cli/printer.ts';
import { ageSettings, makeAgeKey } from './age-key.ts';
import { agentHosts, agentPlaces, findAgent, writeSettings } from './agent-process.ts';
import { parseRehearse, rehearseUsage, usualStage, wrongUse, type Wanted } from './arguments.ts';
import { again, follow, report, type FollowedAgent } from './follow.ts';
import { logSize } from './log-file.ts';
import { StageOptionError } from './plan.ts';
import { step } from './progress.ts';
import { StageError } from './run.ts';
import { attachStage, lowerStage, raiseStage, type Stage } from './stage.ts';
import { fitTemplate, templateFolder } from './template.ts';

export { rehearseUsage } from './arguments.ts';

/** The command \`rehearse\`: builds the stage, shows the first commit, follows the agents. Gives the exit code. */
export async function rehearseCommand(
  args: readonly string[],
  io: Output,
  signal: AbortSignal,
): Promise<number> {
  const print = createPrinter(io, () => performance.now());
  const wanted = parseRehearse(args);
  if (typeof wanted === 'string') {
    print.error(wrongUse(wanted));
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
    print.error(wrongUse(cause.message));
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
  print.error('./rehearse tries again, ./rehearse --down removes what is there');
  return 1;
}

async function rehearse(wanted: Wanted, print: Printer, signal: AbortSignal): Promise<number> {
  const standing = wanted.fresh ? undefined : await attachStage(wanted.stage, signal);
  if (standing !== undefined)
    print.line(`the stage \`${standing.plan.name}\` is up already; --fresh builds it anew`);
  const stage = standing ?? (await raiseStage(usualStage(wanted), print, signal));
  if (standing === undefined) print.line('the stage stands', 'good');
  if (!wanted.agent) {
    await adviseAlone(stage, print);
    return 0;
  }
  const revision = await seed(stage, print, signal);
  const followed = { stage, revision, agents: await agentsOf(stage, print) };
  return await (wanted.once ? report : follow)(followed, print, signal);
}

/** What there is to do with a stage on which no agent runs. */
async function adviseAlone({ folder, plan, mysql }: Stage, print: Printer): Promise<void> {
  const socket = join(folder, 'm1', 'docker.sock');
  // Whoever applies a folder has to reach the servers as an agent does.
  const servers =
    mysql === undefined
      ? ''
      : ` --settings ${await writeSettings(plan, { settings: await ageSettings(folder) })}`;
  const apply = `npx understudy plan FOLDER --watch --apply --socket ${socket}${servers}`;
  print.plain(
    [
      '',
      `The stage's Docker command line: ${join(folder, 'docker')}`,
      `To apply a folder as you save it: ${apply}`,
      `To remove it: ${again(plan)} --down`,
    ].join('\n'),
  );
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
      const copy = await stage.workingCopy(folder, templateFolder, signal);
      await fitTemplate(folder, stage.plan);
      await makeAgeKey(stage.folder, folder, signal);
      return await copy.commitAndPush('Deploy the template', signal);
    },
  );
}

/** One agent on each manager: those that run already, and those that were missing, which are started. */
async function agentsOf(stage: Stage, print: Printer): Promise<readonly FollowedAgent[]> {
  const { plan } = stage;
  const agents = await Promise.all(
    agentHosts(plan).map(async (host) => {
      const { log } = agentPlaces(plan, host);
      const running = await findAgent(plan, host);
      const offset = await logSize(log);
      // Asked anew each time: another run may start it again.
      const isAlive = async (): Promise<boolean> => (await findAgent(plan, host)) !== undefined;
      return { host, log, offset, isAlive, pid: running?.pid, ranBefore: running !== undefined };
    }),
  );
  const missing = agents.filter(({ ranBefore }) => !ranBefore).map(({ host }) => host);
  const running = agents.filter(({ ranBefore }) => ranBefore);
  if (running.length > 0) {
    const names = running.map(({ host, pid }) => `${host} (process ${pid})`).join(', ');
    print.line(`agents run on ${names}`);
  }
  const settings = await ageSettings(stage.folder);
  await Promise.all(missing.map(async (host) => await stage.startAgent({ host, settings })));
  if (running.length > 0 && missing.length > 0)
    print.line(`the agent is started again on ${missing.join(', ')}`);
  return agents;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

import { access, chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Printer } from '../cli/printer.ts';
import { startAgent, type AgentOverrides, type StageAgent } from './agent-process.ts';
import { repositoryAccess, startGitServer, startRegistry, type RepositoryAccess } from './depot.ts';
import { answers, formSwarm, inNamespace, startEngine } from './engines.ts';
import { identityOf, placesIn } from './identity.ts';
import { publishSiteImages } from './images.ts';
import type { CephPrograms } from './ceph/programs.ts';
import { fetchStageCeph, raiseStageCeph, resumeStageCeph } from './ceph/stage.ts';
import { filesOf, removeStage, traces } from './lower.ts';
import { databaseTag } from './mysql/image.ts';
import { fetchStageRouter, raiseRouter } from './mysql/raise-router.ts';
import { fetchMysqlTools, mysqlOf, raiseMysql, type StageMysql } from './mysql/raise.ts';
import { routerPort } from './mysql/router-place.ts';
import type { MysqlTools } from './mysql/start.ts';
import { raiseNetwork } from './network.ts';
import { fetchStageTools, findStageTools } from './engine-packages.ts';
import type { Tools } from './packages.ts';
import { planStage, type StageOptions, type StagePlan } from './plan.ts';
import { identify, readPidFile } from './processes.ts';
import { step, together } from './progress.ts';
import { run, StageError } from './run.ts';
import { shellWord } from './shell.ts';
import { makeWorkingCopy, type WorkingCopy } from './working-copy.ts';

export { lowerStage, type LowerOptions } from './lower.ts';

/** One engine of the stage. */
export interface StageHost {
  readonly name: string;
  readonly role: 'manager' | 'worker';
  readonly address: string;
  /** The engine's Unix socket. */
  readonly socket: string;
}

/** A stage that stands. */
export interface Stage {
  readonly plan: StagePlan;
  readonly folder: string;
  /** Managers first. */
  readonly hosts: readonly StageHost[];
  /** Host and port; it holds `site:1`, `site:2` and `site:broken`. */
  readonly registry: string;
  readonly repository: RepositoryAccess;
  /** The unpacked programs. */
  readonly tools: Tools;
  /** Where it has database servers. */
  readonly mysql: StageMysql | undefined;
  startAgent(overrides?: AgentOverrides): Promise<StageAgent>;
  /** Makes a clone that can push, with a template's files in it, not yet committed. */
  workingCopy(
    folder: string,
    template: string | undefined,
    signal: AbortSignal,
  ): Promise<WorkingCopy>;
  /** Runs the Docker command line on a manager's engine (default: the first) and gives what it prints. */
  docker(args: readonly string[], signal: AbortSignal, host?: string): Promise<string>;
  /** A command that runs with a host's network, to be spawned. */
  inHost(host: string, command: readonly string[]): readonly string[];
}

/**
 * Builds a stage: packages, network, engines, Swarm, Git server, registry, images. What an earlier run left half built
 * is taken down first. Throws `StageError` or `StageOptionError`; then `lowerStage` takes away what was built.
 */
export async function raiseStage(
  options: StageOptions,
  print: Printer,
  signal: AbortSignal,
): Promise<Stage> {
  const plan = planStage(options);
  if (process.getuid?.() !== 0)
    throw new StageError('the stage needs root: network namespaces are made');
  await clear(plan, print, signal);
  await mkdir(join(plan.folder, 'pids'), { recursive: true, mode: 0o755 });
  await claim(plan);
  try {
    const { tools, mysql, router, ceph } = await step(
      print,
      'packages are unpacked',
      async (doing) => ({
        tools: await fetchStageTools(plan, doing, signal),
        mysql: await fetchMysqlTools(plan, doing, signal),
        router: await fetchStageRouter(plan, doing, signal),
        ceph: await fetchStageCeph(plan, doing, signal),
      }),
    );
    await step(print, `network ${plan.subnet} stands`, async () => {
      if (!(await exists('/run/netns'))) await writeFile(filesOf(plan).madeNetns, '');
      await raiseNetwork(plan, tools, signal);
    });
    await together(
      [
        async (limit) => await raiseSwarm(plan, tools, print, limit),
        async (limit) => await raiseRegistry(plan, { tools, mysql }, print, limit),
        async (limit) =>
          await step(print, `Git server at ${plan.repositoryUrl}`, async (doing) => {
            doing('starting the Git server');
            await startGitServer(plan, tools, limit);
          }),
        async (limit) => await raiseDatabases(plan, { mysql, router }, print, limit),
        async (limit) => await raiseCluster(plan, ceph, print, limit),
      ],
      signal,
    );
    await writeDockerScript(plan, tools);
    await writeFile(filesOf(plan).state, identityOf(plan));
    return stageOf(plan, tools, mysql);
  } finally {
    await rm(filesOf(plan).owner, { force: true });
  }
}

/** The stage that an earlier run built, if it stands as a whole and is the one that the options ask for. */
export async function attachStage(
  options: StageOptions,
  signal: AbortSignal,
): Promise<Stage | undefined> {
  const state = await readFile(filesOf(planStage(options)).state, 'utf8').catch(() => '');
  // Whoever does not speak of hosts, database servers, a router or a cluster means those that there are.
  const plan = planStage({ ...placesIn(state), ...options });
  if ((await readPidFile(filesOf(plan).owner)) !== undefined) return undefined; // it comes or goes
  const tools = await findStageTools(plan);
  if (tools === undefined || state !== identityOf(plan)) return undefined;
  const up = await Promise.all(plan.hosts.map(async (host) => await answers(host, signal)));
  if (!up.every(Boolean)) return undefined;
  const mysql = await fetchMysqlTools(plan, () => {}, signal);
  await raiseMysql(plan, mysql, signal);
  const root = await fetchStageRouter(plan, () => {}, signal);
  if (mysql !== undefined && root !== undefined)
    await raiseRouter(plan, { root, client: mysql.client }, signal);
  await resumeStageCeph(plan, await fetchStageCeph(plan, () => {}, signal), signal);
  return stageOf(plan, tools, mysql);
}

async function clear(plan: StagePlan, print: Printer, signal: AbortSignal): Promise<void> {
  const owner = await readPidFile(filesOf(plan).owner);
  if (owner !== undefined && owner.pid !== process.pid)
    throw new StageError(
      `process ${owner.pid} is setting the stage \`${plan.name}\` up or taking it down now`,
    );
  if ((await traces(plan)).length === 0) return;
  const left = await step(print, 'an earlier stage is taken down', async (doing) => {
    doing('taking an earlier stage down');
    return await removeStage(plan, signal);
  });
  if (left.length > 0)
    throw new StageError('an earlier stage could not be removed', { evidence: left.join('\n') });
}

/** Of two runs that begin at once the second stops here. */
async function claim(plan: StagePlan): Promise<void> {
  const self = await identify(process.pid);
  try {
    await writeFile(filesOf(plan).owner, `${self?.pid} ${self?.ticks}\n`, { flag: 'wx' });
  } catch (cause) {
    throw new StageError(`another process is setting the stage \`${plan.name}\` up now`, { cause });
  }
}

async function raiseSwarm(
  plan: StagePlan,
  tools: Tools,
  print: Printer,
  signal: AbortSignal,
): Promise<void> {
  const names = plan.hosts.map((host) => host.name).join(' ');
  await step(print, `engines ${names} answer`, async (doing) => {
    doing(`starting the engines ${names}`);
    await together(
      plan.hosts.map(
        (host) => async (limit: AbortSignal) => await startEngine({ plan, tools }, host, limit),
      ),
      signal,
    );
  });
  const managers = plan.hosts.filter((host) => host.role === 'manager').length;
  await step(
    print,
    `Swarm of ${plan.hosts.length} nodes, ${managers} of them managers`,
    async (doing) => {
      doing('forming the Swarm');
      await formSwarm(plan, signal);
    },
  );
}

async function raiseRegistry(
  plan: StagePlan,
  { tools, mysql }: { readonly tools: Tools; readonly mysql: MysqlTools | undefined },
  print: Printer,
  signal: AbortSignal,
): Promise<void> {
  const more = mysql === undefined ? '' : `, site:${databaseTag}`;
  await step(
    print,
    `registry ${plan.registry} holds site:1, site:2, site:broken${more}`,
    async (doing) => {
      doing('starting the registry');
      await startRegistry(plan, tools, signal);
      doing('putting images into the registry');
      await publishSiteImages(plan.registry, tools, mysql?.client, signal);
    },
  );
}

async function raiseDatabases(
  plan: StagePlan,
  {
    mysql,
    router,
  }: { readonly mysql: MysqlTools | undefined; readonly router: string | undefined },
  print: Printer,
  signal: AbortSignal,
): Promise<void> {
  const [first, ...others] = plan.databases;
  if (first === undefined || mysql === undefined) return;
  const where = [first, ...others].map(({ address }) => address).join(', ');
  const flavor = mysql.programs.flavor === 'mysql' ? 'MySQL' : 'MariaDB';
  await step(print, `${flavor} answers at ${where}`, async (doing) => {
    doing(`starting ${flavor}`);
    await raiseMysql(plan, mysql, signal);
  });
  if (plan.router === undefined || router === undefined) return;
  await step(
    print,
    `MySQL Router leads to the primary from ${plan.router.address}:${routerPort}`,
    async (doing) => {
      doing('starting MySQL Router');
      await raiseRouter(plan, { root: router, client: mysql.client }, signal);
    },
  );
}

async function raiseCluster(
  plan: StagePlan,
  programs: CephPrograms | undefined,
  print: Printer,
  signal: AbortSignal,
): Promise<void> {
  if (plan.ceph === undefined || programs === undefined) return;
  await step(print, `Ceph is healthy at ${plan.ceph.address}`, async (doing) => {
    doing('making a cluster of Ceph');
    await raiseStageCeph(plan, programs, signal);
  });
}

/** The Docker command line of the stage, for people: `<folder>/docker service ls`. */
async function writeDockerScript(plan: StagePlan, tools: Tools): Promise<void> {
  const path = join(plan.folder, 'docker');
  const socket = plan.hosts[0]?.socket ?? '';
  const lines = [
    '#!/bin/sh',
    '# The Docker command line on this stage. STAGE_HOST=m2 asks another engine.',
    `export LD_LIBRARY_PATH=${shellWord(tools.env['LD_LIBRARY_PATH'] ?? '')} DOCKER_CONFIG=${shellWord(join(plan.folder, 'docker-config'))}`,
    `socket=${shellWord(socket)}`,
    `[ -z "\${STAGE_HOST:-}" ] || socket=${shellWord(plan.folder)}/$STAGE_HOST/docker.sock`,
    `exec ${shellWord(tools.path('docker'))} -H "unix://$socket" "$@"`,
    '',
  ];
  await writeFile(path, lines.join('\n'));
  await chmod(path, 0o755);
}

function stageOf(plan: StagePlan, tools: Tools, mysql: MysqlTools | undefined): Stage {
  const hostNamed = (name: string | undefined) => {
    const host = name === undefined ? plan.hosts[0] : plan.hosts.find((one) => one.name === name);
    if (host === undefined) throw new StageError(`the stage has no host \`${name}\``);
    return host;
  };
  return {
    plan,
    folder: plan.folder,
    hosts: plan.hosts,
    registry: plan.registry,
    repository: repositoryAccess(plan),
    tools,
    mysql: mysqlOf(plan, mysql),
    startAgent: async (overrides = {}) => await startAgent({ plan, tools }, overrides),
    workingCopy: async (folder, template, signal) =>
      await makeWorkingCopy({ plan, tools }, folder, template, signal),
    docker: async (args, signal, host) => {
      const socket = `unix://${hostNamed(host).socket}`;
      const env = { ...tools.env, DOCKER_CONFIG: join(plan.folder, 'docker-config') };
      return await run([tools.path('docker'), '-H', socket, ...args], { env }, signal);
    },
    inHost: (host, command) => inNamespace(hostNamed(host).namespace, command),
  };
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

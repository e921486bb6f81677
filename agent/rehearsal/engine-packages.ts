import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheKey, type Doing, exists, fetchTools, findTools, type Tools } from './packages.ts';
import type { StagePlan } from './plan.ts';
import { fetchSuite } from './suite.ts';

/**
 * What another suite gives: Go programs that need little of the C library and nothing else that the stage has not. Its runc
 * needs a newer C library than the machine may have; the machine's own does.
 */
const enginePackages = { wanted: ['docker.io', 'docker-cli', 'containerd', 'tini'], optional: [] };

type Wanted = Pick<StagePlan, 'packages' | 'engine'>;

/** As `fetchTools`, with the engine of the suite that the plan names. Throws `StageError`. */
export async function fetchStageTools(
  { packages, engine }: Wanted,
  doing: Doing,
  signal: AbortSignal,
): Promise<Tools> {
  const tools = await fetchTools(packages, doing, signal);
  if (engine === undefined) return tools;
  const root = await engineRoot(packages, engine);
  await fetchEngine({ packages, engine, root }, doing, signal);
  return await withEngine(tools, root);
}

/** The unpacked programs where they are there already. */
export async function findStageTools({ packages, engine }: Wanted): Promise<Tools | undefined> {
  const tools = await findTools(packages);
  if (tools === undefined || engine === undefined) return tools;
  const root = await engineRoot(packages, engine);
  return (await exists(root)) ? await withEngine(tools, root) : undefined;
}

async function engineRoot(packages: string, engine: string): Promise<string> {
  return join(packages, `${engine}-engine-${await cacheKey(enginePackages)}`);
}

async function fetchEngine(
  { packages, engine, root }: { packages: string; engine: string; root: string },
  doing: Doing,
  signal: AbortSignal,
): Promise<void> {
  const { wanted } = enginePackages;
  await fetchSuite(
    { packages, root },
    { suite: engine, wanted, title: `the engine of ${engine}` },
    async (unpacked) => await rm(join(unpacked, 'usr/share'), { recursive: true, force: true }),
    { doing, signal },
  );
}

/** The programs of the engine before those of the stage that are called the same. */
async function withEngine(tools: Tools, root: string): Promise<Tools> {
  const folders = ['usr/sbin', 'usr/bin'].map((one) => join(root, one));
  const places = new Map<string, string>();
  for (const folder of folders) {
    for (const name of await readdir(folder).catch(() => [])) places.set(name, join(folder, name));
  }
  return {
    ...tools,
    env: { ...tools.env, PATH: [...folders, tools.env['PATH']].join(':') },
    path: (program) => places.get(program) ?? tools.path(program),
  };
}

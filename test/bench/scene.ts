import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Printer } from '../../agent/cli/printer.ts';
import { expectEngine } from '../../agent/rehearsal/engine-http.ts';
import { valueAt } from '../../agent/rehearsal/json.ts';
import { mysqlSettings } from '../../agent/rehearsal/mysql/access.ts';
import { markOf } from '../../agent/rehearsal/plan.ts';
import { raiseStage, type Stage } from '../../agent/rehearsal/stage.ts';
import { BenchAgent } from './bench-agent.ts';
import type { Wanted } from './options.ts';
import {
  type BenchRepository,
  commonFiles,
  databaseFiles,
  ENVIRONMENT,
  type Files,
  makeRepository,
  siteName,
  stackFiles,
  subvolumeFiles,
  writeFiles,
} from './repository.ts';

/** One drained engine, and a repository with its stacks. */
export interface Scene {
  readonly stage: Stage;
  readonly socket: string;
  readonly repository: BenchRepository;
  /** With all stacks. */
  readonly revision: string;
  /** For what is made beside. It goes with the stage. */
  readonly folder: string;
  /** Starts an agent on a socket; default: the engine's own. */
  startAgent(socket?: string): BenchAgent;
}

/** Looks that a person would not have to wait for. */
export const QUICK = '2s';

/** Raises the engine and makes the repository; nothing is deployed yet. `more`: further settings of the agent, for what is made beside. */
export async function raiseScene(
  wanted: Wanted,
  print: Printer,
  signal: AbortSignal,
  more: (folder: string) => Promise<Readonly<Record<string, unknown>>> = async () =>
    Promise.resolve({}),
): Promise<Scene> {
  const stage = await raiseStage(wanted.stage, print, signal);
  const socket = stage.hosts[0]?.socket ?? '';
  await drain(socket, signal);
  const folder = join(stage.folder, 'bench');
  await mkdir(folder, { recursive: true });
  const settings = await more(folder);
  const repository = await makeRepository(folder, signal);
  await writeFiles(repository.copy.folder, commonFiles(QUICK));
  for (let index = 0; index < wanted.stacks; index += 1) {
    const files = filesOf(wanted, index);
    await writeFiles(repository.copy.folder, files);
  }
  const revision = await repository.copy.commitAndPush('All sites', signal);
  print.line(`a repository of ${String(wanted.stacks)} ${whatIn(wanted)} is there`);
  const startAgent = (through = socket): BenchAgent =>
    BenchAgent.start({
      folder,
      settings: {
        environment: ENVIRONMENT,
        repository: { url: repository.url },
        docker: { socket: through },
        stateDir: join(folder, 'state'),
        ...mysqlSettings(stage.plan),
        ...settings,
      },
      // What takes the stage away finds it by this, also after a crash.
      env: markOf(stage.plan),
    });
  return { stage, socket, repository, revision, folder, startAgent };
}

function filesOf({ mysql, ceph }: Wanted, index: number): Files {
  if (mysql) return databaseFiles(index, 1);
  return ceph ? subvolumeFiles(index, 1) : stackFiles(siteName(index), 1);
}

function whatIn({ mysql, ceph }: Wanted): string {
  if (mysql) return 'databases and accounts';
  return ceph ? 'subvolumes and keys' : 'stacks';
}

/** Nothing starts on the only node. */
async function drain(socket: string, signal: AbortSignal): Promise<void> {
  const nodes = await expectEngine(socket, { method: 'GET', path: '/nodes' }, 10_000, signal);
  const id = String(valueAt(nodes, '0', 'ID'));
  const version = String(valueAt(nodes, '0', 'Version', 'Index'));
  const body = { Role: 'manager', Availability: 'drain' };
  const path = `/nodes/${id}/update?version=${version}`;
  await expectEngine(socket, { method: 'POST', path, body }, 10_000, signal);
}

/** How many objects of each kind belong to a stack now. */
export async function countObjects(
  socket: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, number>>> {
  const filters = JSON.stringify({ label: ['com.docker.stack.namespace'] });
  const kinds = ['services', 'networks', 'configs', 'secrets'];
  const counts = await Promise.all(
    kinds.map(async (kind) => {
      const path = `/${kind}?filters=${encodeURIComponent(filters)}`;
      const list = await expectEngine(socket, { method: 'GET', path }, 60_000, signal);
      return [kind, Array.isArray(list) ? list.length : 0] as const;
    }),
  );
  return Object.fromEntries(counts);
}

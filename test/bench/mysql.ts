import { join } from 'node:path';

import type { Printer } from '../../agent/cli/printer.ts';
import { withoutRenewals } from '../faults/ledger.ts';
import { startProxy } from '../faults/proxy.ts';
import { sharedMs } from './agent-words.ts';
import type { BenchAgent } from './bench-agent.ts';
import { median, shown } from './figures.ts';
import { rawTables, statementsLoop } from './mysql-loop.ts';
import type { Wanted } from './options.ts';
import { rawReads } from './raw-reads.ts';
import { profiled, times } from './repeat.ts';
import type { MysqlMeasured } from './report.ts';
import { databaseFiles, writeFiles } from './repository.ts';
import type { Scene } from './scene.ts';

const NO_OP_PASSES = 9;
const COUNTED_PASSES = 3;

/** One run of databases and accounts. */
export interface MysqlRun {
  readonly scene: Scene;
  readonly wanted: Wanted;
  readonly print: Printer;
  readonly signal: AbortSignal;
}

/** First creation, passes with nothing to do, one change, and single statements beside. */
export async function measureMysql(run: MysqlRun): Promise<MysqlMeasured> {
  const { scene, wanted, print, signal } = run;
  const told = (what: string, ms: number): void => print.line(`${what}: ${shown(ms, 'ms')}`);
  const proxy = await startProxy(scene.socket, join(scene.folder, 'proxy.sock'));
  const beganMs = sharedMs();
  const agent = scene.startAgent(proxy.socket);
  try {
    const end = await profiled(run, agent, 'first-creation', async () => {
      return await agent.healthy(scene.revision, signal);
    });
    const create = end.calledAtMs - beganMs;
    told('first creation', create);
    const passes = await profiled(run, agent, 'no-op', async () => {
      return await agent.passes(NO_OP_PASSES, signal);
    });
    const pass = median(passes.map(({ ms }) => ms));
    told('a pass with nothing to do', pass);
    const raw = median(await times(async () => await rawAll(run)));
    told('the raw reads', raw);
    const from = proxy.seen.length;
    const before = await written(run);
    await agent.passes(COUNTED_PASSES, signal);
    const calls = withoutRenewals(proxy.seen.filter(({ mutating }) => mutating));
    const writes = calls.filter(({ at }) => at > from).length + (await written(run)) - before;
    const one = median(await times(async (edition) => await changesOne(run, agent, edition)));
    told('one account, from the push to the last statement', one);
    const loop = await statementsLoop(serverOf(run), wanted.sample);
    told('single statements for a new site', loop.create);
    const { stacks } = wanted;
    const all = { create: loop.create * stacks, again: loop.again * stacks };
    return { create, pass, raw, writes, one, loop: all };
  } finally {
    await agent.stop();
    await proxy.close();
  }
}

/** As a pass has them: both at once. */
async function rawAll(run: MysqlRun): Promise<number> {
  const beganMs = performance.now();
  await Promise.all([rawReads(run.scene.socket, run.signal), rawTables(serverOf(run))]);
  return performance.now() - beganMs;
}

async function changesOne(
  { scene, wanted, signal }: MysqlRun,
  agent: BenchAgent,
  edition: number,
): Promise<number> {
  const { copy } = scene.repository;
  await writeFiles(copy.folder, databaseFiles(Math.floor(wanted.stacks / 2), edition));
  const revision = await copy.commitAndPush('One account', signal);
  const pushedMs = sharedMs();
  agent.ask({ ask: 'look' });
  const end = await agent.healthy(revision, signal);
  if (end.calledAtMs < pushedMs) throw new Error('the commit ended well without any call');
  return end.calledAtMs - pushedMs;
}

function serverOf({ scene }: MysqlRun) {
  const [server] = scene.stage.mysql?.servers ?? [];
  if (server === undefined) throw new Error('the stage has no database server');
  return server;
}

/** How many statements the server carried out that write. */
async function written({ scene, signal }: MysqlRun): Promise<number> {
  const kinds = ['alter_user', 'create_db', 'create_user', 'grant', 'insert', 'revoke', 'update'];
  const names = kinds.map((one) => `'Com_${one}'`).join(', ');
  const text = `SHOW GLOBAL STATUS WHERE variable_name IN (${names})`;
  const lines = (await scene.stage.mysql?.sql(text, signal)) ?? '';
  return lines.split('\n').reduce((sum, line) => sum + Number(line.split('\t')[1] ?? 0), 0);
}

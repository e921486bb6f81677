import { join } from 'node:path';
import process from 'node:process';

import { createPrinter, type Printer, wantsColour } from '../../agent/cli/printer.ts';
import { StageOptionError } from '../../agent/rehearsal/plan.ts';
import { StageError } from '../../agent/rehearsal/run.ts';
import { lowerStage } from '../../agent/rehearsal/stage.ts';
import { measureCeph } from './ceph.ts';
import { type BenchCluster, raiseBenchCluster } from './ceph-scene.ts';
import { type Figure, isMet, slownessOf, tableOf } from './figures.ts';
import { Bench } from './measure.ts';
import { parseBench, usage, type Wanted } from './options.ts';
import { measureMysql } from './mysql.ts';
import { cephFigures, figuresOf, mysqlFigures } from './report.ts';
import { raiseScene } from './scene.ts';

// `npm run bench`: see usage in options.ts. Figures go to the standard output, everything else to the error output.

const toErrors = (text: string): void => void process.stderr.write(text);
const print = createPrinter(
  { out: toErrors, err: toErrors, colour: wantsColour(process.stderr, process.env) },
  () => performance.now(),
);

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const wanted = parseBench(args);
  if (typeof wanted === 'string') {
    print.error(`bench: ${wanted}; npm run bench -- --help says more`);
    return 2;
  }
  if (wanted.help) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    if (wanted.down) return (await lowerStage(wanted.stage, print)).length === 0 ? 0 : 1;
    const figures = await measure(wanted, print, signal);
    process.stdout.write(wanted.json ? jsonOf(figures, wanted) : tableOf(figures));
    return wanted.strict && figures.some((figure) => isMet(figure) === false) ? 1 : 0;
  } catch (cause) {
    return failed(cause, signal);
  }
}

/** Everything that was made is taken away again, whatever comes. */
async function measure(
  wanted: Wanted,
  print: Printer,
  signal: AbortSignal,
): Promise<readonly Figure[]> {
  const clusters: BenchCluster[] = [];
  try {
    if (wanted.ceph) return await measureOnCluster(wanted, clusters, signal);
    const scene = await raiseScene(wanted, print, signal);
    const run = { scene, wanted, print, signal };
    if (wanted.mysql) return mysqlFigures(await measureMysql(run), wanted.stacks);
    const bench = new Bench(scene, wanted, print, signal);
    try {
      return figuresOf(await bench.run(), wanted.stacks);
    } finally {
      await bench.close();
    }
  } finally {
    for (const cluster of clusters) await cluster.end();
    await lowerStage(wanted.stage, print);
  }
}

async function measureOnCluster(
  wanted: Wanted,
  clusters: BenchCluster[],
  signal: AbortSignal,
): Promise<readonly Figure[]> {
  const scene = await raiseScene(wanted, print, signal, async (folder) => {
    const { packages } = wanted.stage;
    const cluster = await raiseBenchCluster(join(folder, 'ceph'), packages, print, signal);
    clusters.push(cluster);
    return { ceph: { main: { ...cluster.way, clientPattern: 'client.site-*' } } };
  });
  const [cluster] = clusters;
  if (cluster === undefined) throw new Error('there is no cluster');
  return cephFigures(await measureCeph({ scene, cluster, wanted, print, signal }), wanted.stacks);
}

function jsonOf(figures: readonly Figure[], { stacks, sample }: Wanted): string {
  const rows = figures.map((figure) => ({
    ...figure,
    ratio: slownessOf(figure) ?? null,
    met: isMet(figure) ?? null,
  }));
  return `${JSON.stringify({ stacks, sample, figures: rows }, undefined, 2)}\n`;
}

function failed(cause: unknown, signal: AbortSignal): number {
  if (cause instanceof StageOptionError) {
    print.error(`bench: ${cause.message}`);
    return 2;
  }
  if (signal.aborted) {
    print.error('bench: stopped');
    return 1;
  }
  const error = cause instanceof Error ? cause : new Error(String(cause));
  print.error(`bench: ${error.message}`);
  if (cause instanceof StageError && cause.evidence !== '') print.error(cause.evidence);
  else if (!(cause instanceof StageError)) print.error(error.stack ?? '');
  return 1;
}

/** The first signal asks to stop and to take everything away, the second one does not wait for that. */
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(1);
    stop.abort(new Error(`stopped by ${name}`));
  });
}

process.exitCode = await main(process.argv.slice(2), stop.signal);

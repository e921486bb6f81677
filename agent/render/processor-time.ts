import { readFile } from 'node:fs/promises';

/** Ticks a second of /proc, on every Linux that Node runs on. */
const TICKS = 100;

/** How long a process was on processors since it was started. Milliseconds; undefined where this machine does not say. */
export async function processorMs(pid: number | undefined): Promise<number | undefined> {
  if (pid === undefined) return undefined;
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  return stat === '' ? undefined : cpuMsIn(stat);
}

/** Pure. The time on processors in the text of /proc/PID/stat, with that of children that ended. */
export function cpuMsIn(stat: string): number {
  // Behind the name: state is the 3rd field of the line; utime, stime, cutime and cstime are the 14th to the 17th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).map(Number);
  return (ticks.reduce((sum, one) => sum + one, 0) * 1_000) / TICKS;
}

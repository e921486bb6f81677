import { readdir, readFile } from 'node:fs/promises';

import { parentIn } from '../../agent/rehearsal/processes.ts';
import { cpuMsIn } from '../../agent/render/processor-time.ts';

/** What a process and its children that live use. */
export interface Use {
  readonly bytes: number;
  /** Since each was started; children that ended are counted too. */
  readonly cpuMs: number;
}

/** Of one process, alone and with all that descend from it; memory that they share is counted once. */
export async function usedBy(pid: number): Promise<{ readonly own: Use; readonly all: Use }> {
  const own = await useOf(pid, 'Rss');
  const family = await Promise.all((await familyOf(pid)).map((one) => useOf(one, 'Pss')));
  const sum = (of: (use: Use) => number): number =>
    family.reduce((total, use) => total + of(use), 0);
  return { own, all: { bytes: sum(({ bytes }) => bytes), cpuMs: sum(({ cpuMs }) => cpuMs) } };
}

async function familyOf(founder: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const parent = parentIn(await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => ''));
    if (parent !== undefined) parents.set(pid, parent);
  }
  const family = [founder];
  for (const one of family) {
    for (const [pid, parent] of parents) if (parent === one) family.push(pid);
  }
  return family;
}

/** One that ended meanwhile uses nothing. */
async function useOf(pid: number, memory: 'Rss' | 'Pss'): Promise<Use> {
  const [stat, rollup] = await Promise.all(
    ['stat', 'smaps_rollup'].map((file) =>
      readFile(`/proc/${String(pid)}/${file}`, 'utf8').catch(() => ''),
    ),
  );
  return { cpuMs: cpuMsIn(stat ?? ''), bytes: bytesIn(rollup ?? '', memory) };
}

/** Pure. A size in the text of /proc/PID/smaps_rollup. */
export function bytesIn(rollup: string, what: 'Rss' | 'Pss'): number {
  const found = new RegExp(`^${what}: +(\\d+) kB$`, 'm').exec(rollup);
  return Number(found?.[1] ?? 0) * 1024;
}

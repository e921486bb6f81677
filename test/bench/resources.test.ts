import { expect, it } from 'vitest';

import { cpuMsIn } from '../../agent/render/processor-time.ts';
import { bytesIn, usedBy } from './resources.ts';

it('counts the time of a process and of its children that ended, whatever its name is', () => {
  const stat = '12 (a (b) c) S 1 12 12 0 -1 4194304 1 2 3 4 50 25 20 5 20 0 1 0 100 0 0';
  expect(cpuMsIn(stat)).toBe(1_000);
  expect(cpuMsIn('')).toBe(0);
});

it('reads sizes as the kernel writes them', () => {
  const rollup = 'Rss:               2048 kB\nPss:               1024 kB\nPss_Dirty: 5 kB\n';
  expect(bytesIn(rollup, 'Rss')).toBe(2 * 2 ** 20);
  expect(bytesIn(rollup, 'Pss')).toBe(2 ** 20);
});

it('finds this very process', async () => {
  const { own, all } = await usedBy(process.pid);
  expect(own.bytes).toBeGreaterThan(2 ** 20);
  expect(all.cpuMs).toBeGreaterThan(0);
});

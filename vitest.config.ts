import { defineConfig } from 'vitest/config';

import { LongestFirst } from './test/longest-first.ts';

// unit: pure, no processes. conformance: children, sockets and files of this machine, no engines. e2e: real engines on
// stages of their own, three files at once, because most of their time is waiting.
// The times are for what hangs: none is near what a test takes, also where the machine has other things to do.
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/conformance/**'],
          setupFiles: ['test/seed.ts'],
          testTimeout: 180_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          setupFiles: ['test/seed.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/packages.ts'],
          maxWorkers: 3,
          testTimeout: 600_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

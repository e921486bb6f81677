import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import process from 'node:process';

import { z } from 'zod';

import { systemClock } from '../../agent/clock.ts';
import type { AgentEvent, Reporter } from '../../agent/reconcile/ports.ts';
import { logReporter } from '../../agent/report/log.ts';
import { openGitSource } from '../../agent/source/git.ts';
import { runAgent } from '../../agent/start.ts';
import { Settings } from '../../schemas/settings.ts';
import { type Ask, type Said, sharedMs } from './agent-words.ts';

// The agent as `understudy agent` composes it, in a process of its own. Beside its log it says over a pipe what the bench
// needs: how long passes took, and when the last call was answered. It ends with its parent.

const say = (said: Said): void => void process.send?.(said);

/** Of 650 units a thousand events say the same; the bench wants those of revisions and of what goes wrong. */
const QUIET: ReadonlySet<AgentEvent['event']> = new Set<AgentEvent['event']>([
  'change applied',
  'unit verifying',
  'unit healthy',
]);

function telling(log: Reporter): Reporter {
  let [calls, calledAtMs] = [0, 0];
  return {
    tell: (told) => {
      if (told.event === 'change applied') [calls, calledAtMs] = [calls + 1, sharedMs()];
      log.tell(told);
      if (QUIET.has(told.event)) return;
      const revision = 'revision' in told ? told.revision : undefined;
      const why = 'why' in told && typeof told.why === 'string' ? told.why : undefined;
      const about = { ...(revision !== undefined && { revision }), ...(why && { why }) };
      const { event } = told;
      say({ said: 'event', event, ...about, atMs: sharedMs(), calls, calledAtMs });
    },
  };
}

const stop = new AbortController();
process.on('disconnect', () => stop.abort());
process.on('SIGTERM', () => stop.abort());
// The terminal tells all processes; the bench stops this one itself.
process.on('SIGINT', () => undefined);

let look = (): void => undefined;
let profiler: Session | undefined;

async function answer(asked: Ask): Promise<void> {
  switch (asked.ask) {
    case 'look':
      return look();
    case 'stop':
      return stop.abort();
    case 'profile':
      profiler = new Session();
      profiler.connect();
      await profiler.post('Profiler.enable');
      await profiler.post('Profiler.start');
      return;
    case 'end-profile': {
      const ended = await profiler?.post('Profiler.stop');
      profiler?.disconnect();
      await writeFile(asked.file, JSON.stringify(ended?.profile));
      say({ said: 'profiled' });
    }
  }
}

const Asked = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('look') }),
  z.object({ ask: z.literal('profile') }),
  z.object({ ask: z.literal('end-profile'), file: z.string() }),
  z.object({ ask: z.literal('stop') }),
]);
process.on('message', (message) => {
  void answer(Asked.parse(message));
});

const settings = Settings.parse(JSON.parse(process.argv[2] ?? ''));
const log = logReporter(settings.log.level, { write: (text) => process.stdout.write(text) });
say({ said: 'ready' });
process.exitCode = await runAgent(
  settings,
  {
    clock: systemClock,
    reporter: telling(log),
    local: true,
    pid: process.pid,
    // Without the watching of a repository of this machine: a webhook is what wakes an agent in production.
    open: async (changed) => {
      look = changed;
      const { ssh: _ssh, https: _https, ...repository } = settings.repository;
      const from = { ...repository, stateDir: settings.stateDir, local: true };
      return openGitSource(from, { clock: systemClock });
    },
    passed: (ms) => say({ said: 'passed', ms, atMs: sharedMs() }),
  },
  stop.signal,
);
process.disconnect?.();

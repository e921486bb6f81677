import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { inNamespace } from '../engines.ts';
import { run, StageError } from '../run.ts';
import type { ClusterPlan } from './plan.ts';
import type { CephPrograms } from './programs.ts';

/** A command as Ceph's own programs send it: `prefix` is its name, the rest are its arguments. */
export interface Asked {
  readonly to: 'mon' | 'mgr';
  readonly command: Readonly<Record<string, unknown>> & { readonly prefix: string };
  /** What `-i` gives to Ceph's own program. */
  readonly input?: string;
}

/** `code`: 0, or an errno below it. */
export interface Answered {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

const Answers = z.array(z.object({ code: z.int(), out: z.string(), error: z.string() }));
const script = fileURLToPath(new URL('ask.py', import.meta.url));

/** Carries commands out as the administrator, whatever they answer. Throws `StageError` where the cluster does not let it in. */
export async function askCluster(
  { python }: Pick<CephPrograms, 'python'>,
  { confFile, namespace }: ClusterPlan,
  commands: readonly Asked[],
  signal: AbortSignal,
): Promise<readonly Answered[]> {
  const command = ['setpriv', '--pdeathsig', 'KILL', python, '-B', script];
  const text = await run(
    namespace === undefined ? command : inNamespace(namespace, command),
    { input: JSON.stringify({ conf: confFile, commands }), deadlineMs: 20_000 },
    signal,
  );
  return Answers.parse(JSON.parse(text));
}

/** Pure. What every command answered. Throws `StageError` with the first that was refused. */
export function allDone(commands: readonly Asked[], answers: readonly Answered[]): void {
  for (const [at, { code, error }] of answers.entries()) {
    if (code === 0) continue;
    const prefix = commands[at]?.command.prefix ?? 'a command';
    throw new StageError(`Ceph refused \`${prefix}\` (${code})`, { evidence: error });
  }
}

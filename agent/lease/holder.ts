import { readFile, readlink } from 'node:fs/promises';

import type { CallOutcome } from '../core/kind.ts';

/** Whether a container of this node's engine runs; undefined where the engine knows none of that id. */
export type AskContainer = (
  id: string,
  signal: AbortSignal,
) => Promise<CallOutcome<boolean | undefined>>;

/** Where this process is named: another folder only in tests. */
const PROC = '/proc';

/**
 * Names this process so that another one on the same node can tell whether it lives: by its container, or else by the
 * machine's start, the namespace in which its pid means something, the pid, and when that began.
 */
export async function nameOfProcess(
  pid: number,
  { ask, proc = PROC }: { readonly ask: AskContainer; readonly proc?: string },
  signal: AbortSignal,
): Promise<string> {
  try {
    const container = containerIn(await readFile(`${proc}/self/mountinfo`, 'utf8'));
    const asked = container === undefined ? undefined : await ask(container, signal);
    // The container may be another engine's: then this one cannot tell whether it lives.
    const isHere = asked?.status === 'ok' && asked.value === true;
    if (container !== undefined && isHere) return container;
    const [boot, namespace, began] = await Promise.all([
      readFile(`${proc}/sys/kernel/random/boot_id`, 'utf8'),
      readlink(`${proc}/self/ns/pid`),
      beginOf(pid, proc),
    ]);
    return [boot.trim(), namespaceIn(namespace), String(pid), began ?? '0'].join('.');
  } catch {
    // Nobody can tell whether it is dead, so others wait for the lease to end.
    return 'unnamed';
  }
}

/**
 * Whether the process of a holder of this node, `NODE/PROCESS`, certainly does not live any more. Another node's holder
 * and whatever is not understood may live.
 */
export async function isHolderDead(
  holder: string,
  { nodeId, ask, proc = PROC }: { nodeId: string; ask: AskContainer; proc?: string },
  signal: AbortSignal,
): Promise<boolean> {
  const at = holder.indexOf('/');
  if (nodeId === '' || holder.slice(0, at) !== nodeId) return false;
  const name = holder.slice(at + 1);
  if (/^[0-9a-f]{64}$/.test(name)) {
    const asked = await ask(name, signal);
    return asked.status === 'ok' && asked.value !== true;
  }
  const [boot = '', namespace = '', pid = '', began = '', ...more] = name.split('.');
  if (!/^[0-9a-f-]{36}$/.test(boot) || !/^\d+$/.test(pid) || more.length > 0) return false;
  try {
    const now = (await readFile(`${proc}/sys/kernel/random/boot_id`, 'utf8')).trim();
    // The machine was started since: nothing of before lives.
    if (now !== boot) return true;
    if (namespaceIn(await readlink(`${proc}/self/ns/pid`)) !== namespace) return false;
    return (await beginOf(Number(pid), proc)) !== began;
  } catch {
    return false;
  }
}

/** The engine mounts a container's own files from a folder that is called by its id. */
function containerIn(mountinfo: string): string | undefined {
  return /\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf) /.exec(mountinfo)?.[1];
}

function namespaceIn(link: string): string {
  return /\d+/.exec(link)?.[0] ?? '0';
}

/** When a process began, in ticks since the machine's start (proc(5)); undefined where there is none, or only its remains. */
async function beginOf(pid: number, proc: string): Promise<string | undefined> {
  const stat = await readFile(`${proc}/${String(pid)}/stat`, 'utf8').catch((error: unknown) => {
    if (
      error instanceof Error &&
      'code' in error &&
      ['ENOENT', 'ESRCH'].includes(String(error.code))
    ) {
      return undefined;
    }
    throw error;
  });
  if (stat === undefined) return undefined;
  // The name of the program may hold blanks and brackets: what counts comes after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

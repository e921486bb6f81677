import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { connects } from '../../agent/rehearsal/depot.ts';
import { inNamespace } from '../../agent/rehearsal/engines.ts';
import { waitUntil } from '../../agent/rehearsal/run.ts';
import type { Stage } from '../../agent/rehearsal/stage.ts';

const never = new AbortController().signal;
const PORT = 5001;

/** The only login. The registry takes bcrypt alone, so its line is made beforehand. */
export const account = { username: 'agent', password: 'depot-1' };
const LINE = 'agent:$2b$05$D0hkAUH03p01Fu9wlXjCTuVB6fvsDPIhP6i8crXuHgKbYkIRN2Zpi';

/** A second registry of the stage, with the images of the first, that asks for a login. */
export interface PrivateRegistry {
  /** Host and port. */
  readonly host: string;
  stop(): Promise<void>;
}

/** Where it will be, before the stage stands. */
export function privateHost(subnet: string): string {
  return `${subnet.replace(/\.0\/24$/, '.2')}:${String(PORT)}`;
}

/** Starts it beside the depot; it dies with this process. */
export async function startPrivateRegistry(
  { plan, tools }: Stage,
  folder: string,
): Promise<PrivateRegistry> {
  const host = `${plan.depot.address}:${String(PORT)}`;
  const [logins, settings] = [join(folder, 'htpasswd'), join(folder, 'private.yml')];
  const data = join(plan.depot.folder, 'registry');
  await writeFile(logins, `${LINE}\n`);
  await writeFile(
    settings,
    [
      'version: 0.1',
      'log: {level: warn}',
      `storage: {filesystem: {rootdirectory: ${JSON.stringify(data)}}}`,
      `http: {addr: "${host}"}`,
      `auth: {htpasswd: {realm: stage, path: ${JSON.stringify(logins)}}}`,
      '',
    ].join('\n'),
  );
  const serve = [
    'setpriv',
    '--pdeathsig',
    'KILL',
    tools.path('docker-registry'),
    'serve',
    settings,
  ];
  const [program = '', ...rest] = inNamespace(plan.depot.namespace, serve);
  const child = spawn(program, rest, { env: { ...tools.env, HOME: folder }, stdio: ['ignore', 'ignore', 'pipe'] }); // prettier-ignore
  let said = '';
  child.stderr.on('data', (piece: Buffer) => {
    said = `${said}${piece.toString()}`.slice(-4_000);
  });
  await waitUntil(
    'the private registry answers',
    { deadlineMs: 60_000, evidence: async () => Promise.resolve(said) },
    async () => connects(plan.depot.address, PORT, never),
    never,
  );
  return {
    host,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

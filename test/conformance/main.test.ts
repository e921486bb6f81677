import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { commands } from '../../agent/commands.ts';
import { projectFolder } from '../../agent/rehearsal/plan.ts';

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The program, as a person starts it. */
function understudy(...args: readonly string[]): Promise<Said> {
  const program = [join(projectFolder, 'agent', 'bin.mjs'), ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, program, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

it('lists every command, and says what the exit codes mean', async () => {
  const { code, out } = await understudy('--help');
  expect(code).toBe(0);
  for (const [verb, { summary }] of Object.entries(commands)) {
    expect(out).toMatch(new RegExp(`^  ${verb} +`, 'm'));
    expect(out).toContain(summary);
  }
  expect(out).toContain('Exit codes: 0 done');
});

it.each(Object.entries(commands))('%s says its use and its exit codes', async (_verb, command) => {
  const { usage } = await command.load();
  expect(usage).toMatch(/^usage: (understudy|\.\/rehearse)/i);
  expect(usage).toMatch(/exit codes?: 0/i);
});

it.each([
  ['gett', 'unknown command `gett`; did you mean `get`? understudy --help lists them all'],
  ['frobnicate', 'unknown command `frobnicate`; understudy --help lists them all'],
])('%s is no command', async (verb, said) => {
  expect(await understudy(verb)).toEqual({ code: 2, out: '', err: `understudy: ${said}\n` });
});

it('prints no colour where nobody reads on a terminal, and ends with 6 without an engine', async () => {
  const { code, out, err } = await understudy('get', '--socket', '/nowhere/docker.sock');
  expect({ code, out }).toEqual({ code: 6, out: '' });
  expect(err).toMatch(/^understudy get: the engine at \/nowhere\/docker\.sock does not answer/);
});

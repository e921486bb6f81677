import { chmodSync, existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { agentCommand } from '../../agent/start.ts';
import { SourceError } from '../../agent/reconcile/ports.ts';
import type { HttpsSettings } from '../../agent/source/https.ts';
import { openGitSource } from '../../agent/source/git.ts';
import { localSettings, realClock, temporaryFolder } from './git-support.ts';

/** What opening says to these files, before anything is made; a server is never asked for it. */
async function opening(folder: string, https: HttpsSettings): Promise<string> {
  const settings = { ...localSettings(folder, 'https://git.invalid/infra.git'), https };
  try {
    await (await openGitSource(settings, { clock: realClock })).close();
    return 'opened';
  } catch (error) {
    if (!(error instanceof SourceError) || error.retry !== 'never') throw error;
    if (existsSync(settings.stateDir)) throw new Error('it made something', { cause: error });
    return error.message;
  }
}

it.each([
  ['one line', 'tok3n\n', 0o400, 'opened'],
  ['one line without an end', 'tok3n', 0o600, 'opened'],
  ['a password with spaces inside, in UTF-8', 'tok3n wörd\n', 0o400, 'opened'],
  ['nothing', '', 0o400, 'which is empty'],
  ['an empty line', '\n', 0o400, 'which holds an empty line'],
  ['two lines', 'tok3n\ntok3n\n', 0o400, 'which holds more than one line'],
  ['an empty line behind it', 'tok3n\n\n', 0o400, 'which holds more than one line'],
  ['an end as Windows has it', 'tok3n\r\n', 0o400, 'whose line ends as Windows ends lines'],
  ['a space behind it', 'tok3n \n', 0o400, 'which begins or ends with a space'],
  ['a NUL', 'tok3n\0x', 0o400, 'which holds a control character'],
  ['far too much', 'tok3n'.repeat(2000), 0o400, 'which is longer than 8192 bytes'],
  [
    'a mode that lets others read',
    'tok3n\n',
    0o444,
    'which others may read (mode 0444): mount the secret with `mode: 0400`',
  ],
  ['a mode that lets its group read', 'tok3n\n', 0o440, 'which others may read (mode 0440)'],
])('a secret with %s', async (_what, content, mode, words) => {
  using temporary = temporaryFolder();
  const file = join(temporary.path, 'secret');
  writeFileSync(file, content);
  chmodSync(file, mode);
  for (const https of [{ tokenFile: file }, { username: 'u', passwordFile: file }]) {
    const said = await opening(temporary.path, https);
    const key = 'tokenFile' in https ? 'tokenFile' : 'passwordFile';
    const place = words === 'opened' ? '' : `\`repository.https.${key}\` names ${file}, `;
    expect(said).toContain(place + words);
    expect(said).not.toContain('tok3n');
  }
});

it('files that are none, and settings that contradict themselves', async () => {
  using temporary = temporaryFolder();
  const at = (name: string): string => join(temporary.path, name);
  writeFileSync(at('ca'), 'PEM', { mode: 0o666 });
  chmodSync(at('ca'), 0o666);
  symlinkSync(at('gone'), at('link'));
  writeFileSync(at('token'), 'tok3n', { mode: 0o400 });
  symlinkSync(at('token'), at('good'));
  const said = async (https: HttpsSettings): Promise<string> => opening(temporary.path, https);
  expect(await said({ tokenFile: at('none') })).toContain('which is not there');
  expect(await said({ tokenFile: at('link') })).toContain('which is not there');
  expect(await said({ tokenFile: temporary.path })).toContain('which is not a file');
  expect(await said({ tokenFile: 'relative' })).toContain('is not an absolute path');
  expect(await said({ caFile: at('ca') })).toBe(
    `\`repository.https.caFile\` names ${at('ca')}, which others may write (mode 0666)`,
  );
  expect(await said({ username: 'u' })).toContain(
    '`repository.https`: `username` has no `passwordFile`',
  );
  // As Docker and Kubernetes mount secrets.
  expect(await said({ tokenFile: at('good') })).toBe('opened');
});

it('the agent opens it with what its settings say', async () => {
  using temporary = temporaryFolder();
  const file = join(temporary.path, 'agent.yaml');
  const https = 'https: {username: u, passwordFile: /nonexistent/password}';
  writeFileSync(
    file,
    `environment: e\nstateDir: ${temporary.path}/state\nrepository:\n  url: https://git.invalid/infra.git\n  ${https}\n`,
  );
  let said = '';
  const io = {
    out: (text: string) => void (said += text),
    err: (text: string) => void (said += text),
    colour: false,
  };
  const surroundings = { io, environment: {}, pid: 1 };
  const code = await agentCommand(['--settings', file], surroundings, AbortSignal.timeout(20_000));
  expect([code, said]).toEqual([
    2,
    expect.stringContaining(
      '`repository.https.passwordFile` names /nonexistent/password, which is not there',
    ),
  ]);
});

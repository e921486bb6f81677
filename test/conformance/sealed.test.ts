import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { newIdentity, wrap } from '../../agent/age/age.ts';
import { keyFile } from '../../agent/age/key-file.ts';
import { systemClock } from '../../agent/clock.ts';
import type { RendererOptions, UnitRenderer } from '../../agent/render/renderer.ts';
import { openRenderer } from '../../agent/render/renderer.ts';
import { dataKey, sealedText } from '../core/sops/sops.ts';
import { type Contents, small, snapshotOf } from '../fakes/repository.ts';
import { stackOf } from '../fakes/stack-of.ts';

const { signal } = new AbortController();
const opened: UnitRenderer[] = [];
let folder = '';
let mine = { key: '', recipient: '' };
let others = { key: '', recipient: '' };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-age-'));
  [mine, others] = await Promise.all([newIdentity(), newIdentity()]);
  await writeFile(join(folder, 'keys'), `# a comment\n${others.key}\n${mine.key}\n`);
  await writeFile(join(folder, 'others'), others.key);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map(async (renderer) => renderer.close()));
});
afterAll(async () => rm(folder, { recursive: true }));

function open(keys?: string, more: Partial<RendererOptions> = {}): UnitRenderer {
  const renderer = openRenderer({
    environment: 'production',
    clock: systemClock,
    ...(keys !== undefined && { keys: keyFile(join(folder, keys)) }),
    ...more,
  });
  opened.push(renderer);
  return renderer;
}

const CANARY = 'canary-3f1c';
const compose = [
  'services:',
  '  web:',
  '    image: nginx:1.29',
  '    env_file: [web.env]',
  '    environment: {PLAIN: seen}',
  '    secrets: [token, pem]',
  '    configs: [site]',
  'secrets:',
  '  token: {file: token.sops.yaml}',
  '  pem: {file: pem}',
  'configs:',
  '  site: {file: site.json}',
  '',
].join('\n');

async function repository(change: Contents = {}): Promise<Contents> {
  const wrapped = [{ recipient: mine.recipient, enc: await wrap(dataKey, mine.recipient) }];
  const seal = (name: string, content: string): Contents => ({
    [`stacks/blog/${name}`]: sealedText(name, content, { wrapped }),
  });
  return {
    ...small,
    'stacks/blog/compose.yaml': compose,
    ...seal('web.env', `PASSWORD=${CANARY}\nEMPTY=\n`),
    ...seal('token.sops.yaml', `token: ${CANARY}\n`),
    ...seal('pem', `-----BEGIN ${CANARY}\n`),
    ...seal('site.json', `{"a": "${CANARY}"}`),
    ...change,
  };
}

/** All documents that may be encrypted are, and name further files that are. */
async function documents(): Promise<Contents> {
  const wrapped = [{ recipient: mine.recipient, enc: await wrap(dataKey, mine.recipient) }];
  const seal = (path: string, content: string): Contents => ({
    [path]: sealedText(path, content, { wrapped }),
  });
  return {
    ...(await repository()),
    ...seal(
      'environments/production.yaml',
      `kind: Environment\nname: production\nvariables: {WORD: ${CANARY}}\n`,
    ),
    ...seal('stacks/blog/stack.yaml', 'kind: Stack\nhealth: {timeout: 4m}\n'),
    ...seal('stacks/blog/compose.yaml', compose.replace('PLAIN: seen', 'A: "x${WORD}"')),
  };
}

const text = (base64: string): string => Buffer.from(base64, 'base64').toString();

describe('encrypted files', () => {
  it('are opened in the renderer, and what comes from them is marked', async () => {
    const renderer = open('keys');
    const { units, diagnostics } = await renderer.render(snapshotOf(await repository()), signal);
    expect(diagnostics.map(({ severity, code }) => [severity, code])).toEqual([
      ['warning', 'encrypted-config'],
    ]);
    const spec = stackOf(units[0]);
    expect(spec?.services['web']?.TaskTemplate.ContainerSpec.Env).toEqual([
      'EMPTY=',
      `PASSWORD=${CANARY}`,
      'PLAIN=seen',
    ]);
    expect(spec?.hidden).toEqual({ web: ['EMPTY', 'PASSWORD'] });
    expect(text(spec?.secrets['token']?.data?.reveal() ?? '')).toBe(`token: ${CANARY}\n`);
    expect(text(spec?.secrets['pem']?.data?.reveal() ?? '')).toBe(`-----BEGIN ${CANARY}\n`);
    expect(JSON.parse(text(spec?.configs['site']?.data ?? ''))).toEqual({ a: CANARY });
    expect(units[0]?.locked).toBeUndefined();
    const seen = [renderer.pid].map(String);
    for (const file of ['cmdline', 'environ']) {
      const said = await readFile(`/proc/${seen[0] ?? ''}/${file}`, 'utf8');
      expect(said).not.toMatch(/AGE-SECRET|canary/);
    }
  });

  it('that are encrypted anew and hold the same ask for nothing', async () => {
    const renderer = open('keys');
    const [first] = (await renderer.render(snapshotOf(await repository()), signal)).units;
    const later = snapshotOf(await repository(), 'b'.repeat(40));
    const again = await renderer.renderFor('production', later, signal);
    expect(again.work.rendered).toBe(1);
    expect(again.units[0]?.digest).toBe(first?.digest);
    // It was not even sent again.
    expect(again.units[0]?.spec).toBe(first?.spec);
  });

  it('are a mistake for an agent without a key, each with its file', async () => {
    const { units, diagnostics } = await open().render(snapshotOf(await repository()), signal);
    expect(units).toEqual([]);
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ code, place }) => [code, place?.file])).toEqual(
      expect.arrayContaining([
        ['missing-age-key', 'stacks/blog/web.env'],
        ['missing-age-key', 'stacks/blog/pem'],
      ]),
    );
    expect(errors[0]?.hint).toContain('age.keyFile');
  });

  it('are checked as far as that goes where nobody has to have a key', async () => {
    const renderer = open(undefined, { mayStayLocked: true });
    const { units, diagnostics } = await renderer.render(snapshotOf(await repository()), signal);
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(units[0]?.locked).toBe(4);
    const bare = { 'stacks/blog/web.env': String((await repository())['stacks/blog/web.env']).replace(/^PASSWORD=.*/, 'PASSWORD=hunter2') }; // prettier-ignore
    const wrong = await renderer.render(snapshotOf(await repository(bare)), signal);
    expect(wrong.diagnostics.map(({ code }) => code)).toContain('not-encrypted');
    expect(JSON.stringify(wrong.diagnostics)).not.toContain('hunter2');
  });

  it('of somebody else are named with their recipient, and nothing is applied', async () => {
    const { units, diagnostics } = await open('others').render(
      snapshotOf(await repository()),
      signal,
    );
    expect(units).toEqual([]);
    const mistake = diagnostics.find(({ code }) => code === 'encrypted-for-others');
    expect(mistake?.message).toBe(
      `the file is encrypted for ${mine.recipient}, and the key here is of ${others.recipient}`,
    );
  });

  it('whose data key is another or damaged are told apart, without a word of their content', async () => {
    const enc = await wrap(dataKey, others.recipient);
    const cases = [
      [enc, 'encrypted-for-others'],
      [enc.replace('-----BEGIN AGE', '-----BEGIN EGA'), 'encryption-damaged'],
    ] as const;
    for (const [file, code] of cases) {
      const wrapped = [{ recipient: mine.recipient, enc: file }];
      const change = { 'stacks/blog/pem': sealedText('pem', CANARY, { wrapped }) };
      const { diagnostics } = await open('keys').render(
        snapshotOf(await repository(change)),
        signal,
      );
      expect(diagnostics.filter(({ severity }) => severity === 'error')).toMatchObject([
        { code, place: { file: 'stacks/blog/pem' } },
      ]);
    }
  });

  it('can be documents, each of which is opened before the next one is known', async () => {
    const { units, diagnostics } = await open('keys').render(snapshotOf(await documents()), signal);
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const spec = stackOf(units[0]);
    expect(spec?.services['web']?.TaskTemplate.ContainerSpec.Env).toEqual([
      `A=x${CANARY}`,
      'EMPTY=',
      `PASSWORD=${CANARY}`,
    ]);
    expect(spec).toMatchObject({ veiled: true, hidden: { web: ['A', 'EMPTY', 'PASSWORD'] } });
    expect(JSON.stringify(diagnostics)).not.toContain(CANARY);
  });

  it('that are documents are closed where nobody has to have a key', async () => {
    const renderer = open(undefined, { mayStayLocked: true });
    const { units, diagnostics } = await renderer.render(snapshotOf(await documents()), signal);
    expect(diagnostics).toEqual([]);
    expect(units).toMatchObject([{ id: 'stack/blog', closed: true, spec: { services: {} } }]);
  });

  it('show nothing of a line that is no variable', async () => {
    const wrapped = [{ recipient: mine.recipient, enc: await wrap(dataKey, mine.recipient) }];
    const lines = `A=1\n${CANARY}\n =${CANARY}\nx ${CANARY}=1\n`;
    const change = { 'stacks/blog/web.env': sealedText('secret', lines, { wrapped }) };
    const { diagnostics } = await open('keys').render(snapshotOf(await repository(change)), signal);
    expect(diagnostics.filter(({ severity }) => severity === 'error').length).toBeGreaterThan(1);
    expect(JSON.stringify(diagnostics)).not.toContain(CANARY);
  });
});

describe('the key file', () => {
  it('is read again when it changes; what it opened before is then closed', async () => {
    await writeFile(join(folder, 'changing'), others.key);
    const renderer = open('changing');
    const snapshot = snapshotOf(await repository());
    const before = await renderer.inputs?.();
    expect((await renderer.render(snapshot, signal)).units).toEqual([]);
    await writeFile(join(folder, 'changing'), `${others.key}\n${mine.key}`);
    expect(await renderer.inputs?.()).not.toBe(before);
    expect((await renderer.render(snapshot, signal)).units).toHaveLength(1);
    await writeFile(join(folder, 'changing'), others.key);
    expect((await renderer.render(snapshot, signal)).units).toEqual([]);
  });

  it('that cannot be read is a fault of the machine, and only where something is encrypted', async () => {
    const renderer = open('missing');
    const plain = await renderer.render(snapshotOf(small), signal);
    expect(plain.units).toHaveLength(1);
    const sealed = renderer.render(snapshotOf(await repository()), signal);
    await expect(sealed).rejects.toThrow(/the key file .*missing cannot be used: ENOENT/);
    await writeFile(join(folder, 'missing'), mine.key);
    expect((await renderer.render(snapshotOf(await repository()), signal)).units).toHaveLength(1);
  });
});

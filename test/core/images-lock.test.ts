import { describe, expect, it } from 'vitest';

import type { Memo } from '../../agent/core/folder-kind.ts';
import { readImagesLock } from '../../agent/core/images-lock.ts';
import { renderRepository } from '../../agent/core/repository.ts';
import type { RepositoryOutcome } from '../../agent/core/repository.ts';
import { stackFolders } from '../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import { readCron } from '../../agent/render/cron.ts';
import { blobOf, filesOf, small } from '../fakes/repository.ts';
import type { Contents } from '../fakes/repository.ts';

type Done = RepositoryOutcome<StackSpec> & { status: 'rendered' };

const one = `sha256:${'1'.repeat(64)}`;
const two = `sha256:${'2'.repeat(64)}`;
const LABEL = 'com.docker.stack.image';

function render(contents: Contents, memo: Memo<StackSpec> = new Map()): Done {
  const ports = { kind: stackFolders, memo, readCron };
  const outcome = renderRepository(filesOf(contents), 'production', ports);
  if (outcome.status === 'incomplete') throw new Error(`incomplete: ${outcome.blobs.join()}`);
  return outcome;
}

const lock = (images: Readonly<Record<string, string>>): Contents => ({
  'images.lock.yaml': `version: 1\nimages: ${JSON.stringify(images)}\n`,
});

const stacks = (images: Readonly<Record<string, string>>): Contents =>
  Object.fromEntries(
    Object.entries(images).map(([name, image]) => [
      `stacks/${name}/compose.yaml`,
      `services:\n  web:\n    image: "${image}"\n`,
    ]),
  );

/** `policy.images` in understudy.yaml and in the Environment. */
const policy = (below: string, above = ''): Contents => ({
  'understudy.yaml': `version: 1\n${below === '' ? '' : `policy: {images: ${below}}\n`}`,
  'environments/production.yaml': `kind: Environment\nname: production\n${above === '' ? '' : `policy: {images: ${above}}\n`}`,
});

/** Images as they are sent, by stack. */
const sent = ({ units }: Done): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(
    units.map(({ spec }) => [spec.name, spec.services['web']?.TaskTemplate.ContainerSpec.Image]),
  );

const told = ({ diagnostics }: Done): readonly string[] =>
  diagnostics.map(({ severity, code, place }) =>
    [severity, code, `${place?.file ?? ''}:${String(place?.line)}`].join(' '),
  );

describe('what the lock pins', () => {
  it('is sent with its digest, and the label keeps the text of the file', () => {
    const done = render({ ...small, ...lock({ 'nginx:1.29': one }) });
    expect(done.diagnostics).toEqual([]);
    expect(sent(done)).toEqual({ blog: `nginx:1.29@${one}` });
    expect(done.units[0]?.spec.services['web']?.Labels?.[LABEL]).toBe('nginx:1.29');
  });

  it.each([
    ['a long name', 'docker.io/library/nginx:1.29', `nginx:1.29@${one}`],
    ['a variable', 'nginx:${VERSION}', `nginx:1.29@${one}`],
    ['no tag', 'nginx', `nginx:latest@${two}`],
    ['another registry', 'ghcr.io/a/b:1', `ghcr.io/a/b:1@${two}`],
    ['a name that begins with x-', 'x-site:1', `x-site:1@${two}`],
    ['a digest of its own', `nginx:1.29@${two}`, `nginx:1.29@${two}`],
    ['a digest and no tag', `nginx@${two}`, `nginx@${two}`],
    ['an image id', one, one],
  ])('%s', (_, image, expected) => {
    const done = render({
      ...small,
      ...stacks({ blog: image }),
      'environments/production.yaml':
        'kind: Environment\nname: production\nvariables: {VERSION: 1.29}\n',
      ...lock({
        'nginx:1.29': one,
        'nginx:latest': two,
        'ghcr.io/a/b:1': two,
        'x-site:1': two,
      }),
    });
    expect(done.diagnostics).toEqual([]);
    expect(sent(done)).toEqual({ blog: expected });
  });

  it('holds for what a further file of the stack says', () => {
    const done = render({
      ...small,
      'stacks/blog/compose.production.yaml': 'services:\n  web:\n    image: nginx:1.30\n',
      ...lock({ 'nginx:1.30': one }),
    });
    expect([told(done), sent(done)]).toEqual([[], { blog: `nginx:1.30@${one}` }]);
  });
});

describe('a lock that changes', () => {
  const images = { a: 'nginx:1', b: 'redis:7', c: 'redis:7' };
  const base = { ...small, ...stacks({ ...images, blog: 'nginx:2' }) };
  const digests = ({ units }: Done): ReadonlyMap<string, string> =>
    new Map(units.map(({ id, digest }) => [id, digest]));

  it.each([
    ['a digest', { 'nginx:1': one, 'redis:7': two }, ['stack/b', 'stack/c']],
    ['an entry less', { 'nginx:1': one }, ['stack/b', 'stack/c']],
    ['an entry more', { 'nginx:1': one, 'redis:7': one, 'nginx:2': one }, ['stack/blog']],
    ['an entry that nobody uses', { 'nginx:1': one, 'redis:7': one, 'mysql:9': one }, []],
  ])('in %s is work, and a new digest, for those alone that have the image', (_, after, ids) => {
    const memo: Memo<StackSpec> = new Map();
    const before = render({ ...base, ...lock({ 'nginx:1': one, 'redis:7': one }) }, memo);
    const changed = render({ ...base, ...lock(after) }, memo);
    const [then, now] = [digests(before), digests(changed)];
    expect([...now.keys()].filter((id) => now.get(id) !== then.get(id))).toEqual(ids);
    expect(changed.work).toEqual({ rendered: ids.length, kept: 4 - ids.length });
  });

  it('is asked for together with everything else', () => {
    const contents = { ...base, ...lock({}) };
    const absent = new Set(Object.values(contents).map(blobOf));
    const ports = { kind: stackFolders, memo: new Map(), readCron };
    const outcome = renderRepository(filesOf(contents, absent), 'production', ports);
    expect(outcome).toMatchObject({
      blobs: expect.arrayContaining([blobOf(contents['images.lock.yaml'] ?? '')]),
    });
  });
});

describe('an image that nothing pins', () => {
  const other = lock({ 'redis:7': one });
  const at = 'unpinned-image stacks/blog/compose.yaml:3';
  it.each<[string, Contents, Contents, string | undefined]>([
    ['no lock and no policy', policy(''), {}, undefined],
    ['no lock and a policy of registries alone', policy('{registries: ["*"]}'), {}, undefined],
    ['a lock and no policy', policy(''), other, `warning ${at}`],
    ['warn and no lock', policy('{lock: warn}'), {}, `warning ${at}`],
    ['required and no lock', policy('{lock: required}'), {}, `error ${at}`],
    ['required and a lock', policy('{lock: required}'), other, `error ${at}`],
    ['off', policy('{lock: "off"}'), other, undefined],
    ['the Environment over it', policy('{lock: required}', '{lock: warn}'), other, `warning ${at}`],
    ['the Environment alone', policy('', '{lock: required}'), other, `error ${at}`],
    ['key by key', policy('{lock: required}', '{registries: ["*"]}'), other, `error ${at}`],
  ])('%s', (_, rules, file, expected) => {
    const done = render({ ...small, ...rules, ...file });
    expect(told(done)).toEqual(expected === undefined ? [] : [expected]);
    expect(done.units).toHaveLength(expected?.startsWith('error') === true ? 0 : 1);
  });

  it('says what to write', () => {
    const [told] = render({ ...small, ...policy('{lock: required}') }).diagnostics;
    expect(told).toMatchObject({
      place: { path: 'services.web.image', line: 3, column: 12 },
      message: '`nginx:1.29` has no digest, here or in images.lock.yaml: its tag may be moved',
      hint: 'add `"nginx:1.29": "sha256:…"` to `images` of images.lock.yaml',
    });
  });

  it.each([`nginx@${one}`, `nginx:1@${one}`, one])('%s is no such image', (image) => {
    const done = render({ ...small, ...stacks({ blog: image }), ...policy('{lock: required}') });
    expect(told(done)).toEqual([]);
  });

  it('with lock: off nothing is pinned, not even what the lock has', () => {
    const done = render({ ...small, ...policy('{lock: "off"}'), ...lock({ 'nginx:1.29': one }) });
    expect([told(done), sent(done)]).toEqual([[], { blog: 'nginx:1.29' }]);
  });

  it('is not told where the policy cannot be read', () => {
    const done = render({ ...small, ...policy('{lock: required}', '{lock: requird}') });
    expect(told(done)).toEqual(['error wrong-value environments/production.yaml:3']);
  });
});

describe('registries', () => {
  it.each<[string, string, boolean]>([
    ['nginx:1', '["*"]', true],
    ['nginx:1', '[docker.io]', true],
    ['docker.io/library/nginx:1', '[docker.io]', true],
    ['nginx:1', '[ghcr.io]', false],
    ['ghcr.io/a/b:1', '[docker.io, ghcr.io]', true],
    ['ghcr.io/a/b:1', '["*.io"]', true],
    ['eu.example.org:5000/a:1', '["*.example.org"]', false],
    ['eu.example.org:5000/a:1', '["*.example.org:*"]', true],
    ['eu.EXAMPLE.org/a:1', '["*.Example.org"]', true],
    ['example.org.evil.net/a:1', '["*example.org"]', false],
    [`ghcr.io/a/b@${one}`, '[docker.io]', false],
    [one, '["*"]', true],
    [one, '["*.io"]', false],
    ['nginx:1', '[]', false],
  ])('%s of %s: %s', (image, registries, allowed) => {
    const done = render({
      ...small,
      ...stacks({ blog: image }),
      ...policy(`{lock: "off", registries: ${registries}}`),
    });
    expect(told(done)).toEqual(allowed ? [] : ['error not-allowed stacks/blog/compose.yaml:3']);
  });

  it('the list of the Environment replaces that of understudy.yaml', () => {
    const done = render({ ...small, ...policy('{registries: ["*"]}', '{registries: [ghcr.io]}') });
    expect(done.diagnostics).toMatchObject([
      {
        code: 'not-allowed',
        message: 'the policy does not allow images from `docker.io`',
        hint: 'add `docker.io` to `policy.images.registries` of the environment, or take the image from elsewhere',
      },
    ]);
  });

  it.each(['https://ghcr.io', 'ghcr.io/owner', ''])('%j is no pattern of a host', (written) => {
    const done = render({ ...small, ...policy(`{registries: ["${written}"]}`) });
    expect(told(done)).toEqual(['error wrong-value understudy.yaml:2']);
  });
});

describe('a lock with a mistake', () => {
  const mistakes = (text: string): readonly string[] =>
    readImagesLock('images.lock.yaml', text).diagnostics.map(
      ({ severity, code, message, place, hint }) => {
        expect(severity).toBe('error');
        return `${String(place?.line)} ${code}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
      },
    );
  const images = (...lines: readonly string[]): string =>
    `version: 1\nimages:\n${lines.map((line) => `  ${line}\n`).join('')}`;
  const DIGEST = 'write a digest: `sha256:` and 64 lower-case hexadecimal digits';

  it.each<[string, string, readonly string[]]>([
    ['a short digest', images('nginx:1: sha256:12'), [`3 wrong-value: ${DIGEST}`]],
    [
      'an upper-case digest',
      images(`nginx:1: sha256:${'A'.repeat(64)}`),
      [`3 wrong-value: ${DIGEST}`],
    ],
    [
      'another algorithm',
      images(`nginx:1: sha512:${'a'.repeat(128)}`),
      [`3 wrong-value: ${DIGEST}`],
    ],
    ['a list as a digest', images('nginx:1: [a]'), [`3 wrong-type: ${DIGEST}, not a list`]],
    [
      'no reference',
      images(`Nginx:1: ${one}`),
      [
        '3 image-reference: the name of an image must be in lower case (write an image such as `ghost:5.130`)',
      ],
    ],
    [
      'a digest in the key',
      images(`"nginx:1@${two}": ${one}`),
      [
        `3 image-reference: \`nginx:1@${two}\``.slice(0, 80) +
          '…` names its content itself: the lock is for images with a tag (write the name and the tag only, such as `ghost:5.130`, or remove the entry)',
      ],
    ],
    [
      'another form',
      images(`docker.io/library/nginx:1: ${one}`),
      [
        '3 wrong-name: `docker.io/library/nginx:1` is not the form in which images are looked up (write `nginx:1`)',
      ],
    ],
    [
      'no tag',
      images(`nginx: ${one}`),
      [
        '3 wrong-name: `nginx` is not the form in which images are looked up (write `nginx:latest`)',
      ],
    ],
    [
      'two spellings, the right one last',
      images(`docker.io/nginx:1: ${one}`, `nginx:1: ${one}`),
      [
        '3 duplicate-key: `docker.io/nginx:1` and the entry in line 4 are the same image (remove one of them)',
      ],
    ],
    [
      'two spellings, none right',
      images(`docker.io/nginx:1: ${one}`, `library/nginx:1: ${one}`),
      [
        '3 wrong-name: `docker.io/nginx:1` is not the form in which images are looked up (write `nginx:1`)',
        '4 duplicate-key: `library/nginx:1` and the entry in line 3 are the same image (remove one of them)',
      ],
    ],
    [
      'twice',
      images(`nginx:1: ${one}`, `nginx:1: ${two}`),
      ['4 duplicate-key: key `nginx:1` is already written in line 3'],
    ],
    ['another version', `version: 2\nimages: {}\n`, ['1 wrong-value: write `version: 1`']],
    [
      'a misspelt key',
      `version: 1\nimage: {}\n`,
      ['2 unknown-key: unknown key `image` (did you mean `images`?)'],
    ],
    [
      'half of a file',
      'version: 1\n',
      ['1 missing-key: missing key `images` (write a mapping of images to digests; `{}` for none)'],
    ],
  ])('%s', (_, text, expected) => expect(mistakes(text)).toEqual(expected));

  it.each([
    ['nothing', 'version: 1\nimages: {}\n'],
    ['unsorted', images(`redis:7: ${one}`, `nginx:1: ${two}`)],
    ['an extension', `x-note: hello\n${images(`nginx:1: ${one}`)}`],
  ])('%s is none', (_, text) => expect(mistakes(text)).toEqual([]));

  it('is a repository with a mistake, and nothing else is told', () => {
    const done = render({
      ...small,
      ...policy('{lock: required}'),
      'images.lock.yaml': images('nginx:1.29: sha256:12'),
    });
    expect(told(done)).toEqual(['error wrong-value images.lock.yaml:3']);
    expect(done.units).toEqual([]);
  });

  it('is one with lock: off, too', () => {
    const done = render({ ...small, ...policy('{lock: "off"}'), 'images.lock.yaml': '' });
    expect(told(done)).toEqual(['error missing-document images.lock.yaml:1']);
  });
});

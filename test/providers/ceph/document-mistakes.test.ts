import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { formatText } from '../../../agent/core/format.ts';
import { renderRepository } from '../../../agent/core/repository.ts';
import { cephFromWire } from '../../../agent/providers/ceph/wire.ts';
import { stackFolders } from '../../../agent/providers/stack/render.ts';
import { readCron } from '../../../agent/render/cron.ts';
import { filesOf, small } from '../../fakes/repository.ts';
import { environment, told } from '../mysql/rendering.ts';
import { ceph, render, specsIn } from './rendering.ts';

const golden = join(import.meta.dirname, '../../golden/ceph/documents');

/** A stack that makes a secret. */
const stack = {
  'stacks/blog/compose.yaml':
    'services: {web: {image: x, secrets: [key]}}\nsecrets: {key: {file: key}}\n',
  'stacks/blog/key': 'x',
};

describe('golden files: documents beside what their author sees', () => {
  it.each<[string, boolean]>([
    ['names', false],
    ['kinds', false],
    ['risks', true],
    ['together', false],
  ])('%s', async (name, isValid) => {
    const text = readFileSync(join(golden, `${name}.yaml`), 'utf8');
    const { diagnostics, units } = render({ ...stack, ...ceph(text) });
    expect(units.length > 0).toBe(isValid);
    const words = formatText(diagnostics, { colour: false });
    await expect(words).toMatchFileSnapshot(join(golden, `${name}.txt`));
  });
});

const pool = (name: string, more = ''): string =>
  `kind: CephPool\nname: ${name}\napplication: cephfs\nreplicated: {}\n${more}`;
const filesystem = (name: string, metadata: string, data: string, more = ''): string =>
  `kind: CephFilesystem\nname: ${name}\nmetadataPool: ${metadata}\ndataPools: [${data}]\n${more}`;

describe('what documents say of each other', () => {
  it('is not looked for in what the repository does not have', () => {
    const subvolume = 'kind: CephSubvolume\nname: s\nfilesystem: old\ndataPool: x\n';
    const done = render(ceph(filesystem('cephfs', 'm', 'd, e'), subvolume));
    expect(told(done)).toEqual([]);
  });

  it('is of one cluster', () => {
    const around = environment('ceph: {default: main, allowed: [old]}\n');
    const there = 'cluster: old\n';
    const documents = [
      pool('d', there).replace('cephfs', 'rbd'),
      filesystem('a', 'm', 'd'),
      filesystem('a', 'm', 'e', there),
      `kind: CephSubvolume\nname: s\nfilesystem: a\ndataPool: e\n${there}`,
      'kind: CephSubvolume\nname: s\nfilesystem: a\ndataPool: d\n',
    ];
    expect(told(render({ ...ceph(...documents), ...around }))).toEqual([]);
    const client = (id: string) =>
      `kind: CephClient\nname: c\nsecret: c\nsubvolumes: [{id: ${id}}]\n${there}`;
    const done = render({
      ...ceph(...documents, client('ceph-subvolume/a/_nogroup/s')),
      ...around,
    });
    expect(told(done)).toEqual([
      'error[wrong-value] ceph/x.yaml:32 (subvolumes[0].id) `ceph-subvolume/a/_nogroup/s` is on another cluster than the client',
    ]);
    const right = client('ceph-subvolume/old/a/_nogroup/s');
    expect(told(render({ ...ceph(...documents, right), ...around }))).toEqual([]);
  });

  it('is looked at again when another file changes', () => {
    const memo = new Map();
    const files = (application: string) => ({
      'ceph/a.yaml': filesystem('cephfs', 'm', 'd'),
      'ceph/b.yaml': pool('d').replace('cephfs', application),
    });
    expect(told(render(files('cephfs'), { memo }))).toEqual([]);
    const mistake =
      'error[wrong-value] ceph/a.yaml:4 (dataPools[0]) the pool `d` is for `rbd`, not for a file system = `ceph-pool/d` needs `application: cephfs`';
    expect(told(render(files('rbd'), { memo }))).toEqual([mistake]);
    expect(told(render(files('cephfs'), { memo }))).toEqual([]);
  });

  it('is not looked for in a second document of the same thing', () => {
    const subvolume = 'kind: CephSubvolume\nname: s\nfilesystem: cephfs\n';
    const done = render(
      ceph(filesystem('cephfs', 'm', 'd'), subvolume, `${subvolume}dataPool: x\n`),
    );
    expect(done.diagnostics.map(({ code }) => code)).toEqual(['name-conflict']);
  });

  it('is a mistake as often as any other one in a file', () => {
    const folders = Array.from(
      { length: 130 },
      (_, at) => `kind: CephSubvolume\nname: s${String(at)}\nfilesystem: cephfs\ndataPool: x\n`,
    );
    const { diagnostics } = render({
      ...ceph(...folders),
      'ceph/y.yaml': filesystem('cephfs', 'm', 'd'),
    });
    expect(diagnostics).toHaveLength(101);
    expect(diagnostics.at(-1)?.code).toBe('too-large');
  });
});

describe('files', () => {
  it.each<[string, string, readonly string[]]>([
    ['ceph/x.yml', 'kind: CephPool\nname: a\n', ['file-name']],
    ['Ceph/x.yaml', 'kind: CephPool\nname: a\n', ['file-name']],
    ['ceph/x.yaml', '', ['missing-document']],
    ['ceph/x.yaml', 'kind: MySQLDatabase\nname: a\n', ['wrong-value']],
    ['mysql/x.yaml', 'kind: CephCrushRule\nname: a\n', ['wrong-value']],
    ['ceph/x.yaml', `kind: CephCrushRule\nname: ${'a'.repeat(129)}\n`, ['wrong-value']],
    [
      'ceph/x.yaml',
      `kind: CephSubvolume\nname: ${'a'.repeat(120)}\nfilesystem: ${'b'.repeat(120)}\n`,
      ['wrong-name'],
    ],
  ])('%s with %#', (path, text, codes) => {
    const { diagnostics } = render({ [path]: text });
    expect(diagnostics.map(({ code }) => code)).toEqual(codes);
    expect(diagnostics.every(({ place }) => place?.file === path)).toBe(true);
  });

  it('are refused where the folder is not read', () => {
    const files = filesOf({
      ...small,
      ...ceph(pool('a')),
      ...environment('ceph: {default: a}\n'),
    });
    const outcome = renderRepository(files, 'production', {
      kind: stackFolders,
      memo: new Map(),
      readCron,
    });
    if (outcome.status !== 'rendered') throw new Error('incomplete');
    expect(told(outcome)).toEqual([
      'error[unsupported-key] ceph/x.yaml:1 () a document in `ceph/` is not supported by this version yet',
      'error[unsupported-key] environments/production.yaml:3 (ceph) `ceph` is not supported by this version yet = leave the key out until a version supports it',
    ]);
  });
});

describe('any document', () => {
  const names = fc.oneof(
    fc.constantFrom('a', 'b', 'cephfs', 'A', '${X}', '.a', 'a b', '..', 'ä', ''),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  const simple = fc.constantFrom('a', 'b', 'c');
  const replicated = fc.record({ size: fc.nat({ max: 4 }) }, { requiredKeys: [] });
  const chunks = fc.record({
    dataChunks: fc.nat({ max: 4 }),
    codingChunks: fc.nat({ max: 3 }),
    overwrites: fc.boolean(),
  });
  const documents = (name: fc.Arbitrary<string>) =>
    fc.oneof(
      fc.record(
        {
          kind: fc.constant('CephPool'),
          name,
          application: fc.constantFrom('cephfs', 'rbd'),
          replicated,
          erasureCoded: chunks,
          crushRule: name,
          quotas: fc.constantFrom({}, { maxSize: '1Gi' }),
        },
        { requiredKeys: ['kind', 'name', 'application'] },
      ),
      fc.record({
        kind: fc.constant('CephCrushRule'),
        name,
        type: fc.constantFrom('erasure', 'replicated'),
      }),
      fc.record({
        kind: fc.constant('CephFilesystem'),
        name,
        metadataPool: name,
        dataPools: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
      }),
      fc.record(
        {
          kind: fc.constantFrom('CephSubvolume', 'CephSubvolumeGroup'),
          name,
          filesystem: name,
          dataPool: name,
          mode: fc.constantFrom('0755', '999', 'x'),
          suspend: fc.boolean(),
        },
        { requiredKeys: ['kind', 'name', 'filesystem'] },
      ),
      fc.record(
        {
          kind: fc.constant('CephClient'),
          name,
          secret: name,
          caps: fc.record({ mon: name, osd: name }, { requiredKeys: ['mon'] }),
          subvolumes: fc.array(
            fc.record({ id: name.map((one) => `ceph-subvolume/a/_nogroup/${one}`) }),
            { maxLength: 2 },
          ),
          format: fc.constantFrom('key', 'keyring'),
        },
        { requiredKeys: ['kind', 'name', 'secret'] },
      ),
      fc.jsonValue({ maxDepth: 2 }),
    );

  it('is rendered or refused at its file, and never throws; what is rendered crosses the pipe', () => {
    let rendered = 0;
    const repositories = fc.oneof(
      fc.array(documents(names), { minLength: 1, maxLength: 4 }),
      fc.array(documents(simple), { minLength: 1, maxLength: 2 }),
    );
    fc.assert(
      fc.property(repositories, (some) => {
        const text = some.map((one) => `${JSON.stringify(one)}\n`);
        const done = render(ceph(...text));
        for (const { place } of done.diagnostics) expect(place?.file).toBe('ceph/x.yaml');
        for (const spec of specsIn(done)) {
          rendered += 1;
          expect(cephFromWire.parse(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
        }
        for (const { id } of done.units) {
          expect(id).toMatch(/^(?:stack\/blog|ceph-[a-z-]+(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)+)$/);
        }
      }),
      { numRuns: 400 },
    );
    // Else the property would say nothing of what is right.
    expect(rendered).toBeGreaterThan(10);
  });
});

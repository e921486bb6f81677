import { describe, expect, it } from 'vitest';
import type { z } from 'zod';

import { readDocument } from '../../agent/core/document.ts';
import { CephCrushRule, CephPool } from '../../schemas/ceph-pool.ts';
import {
  CephClient,
  CephFilesystem,
  CephSubvolume,
  CephSubvolumeGroup,
} from '../../schemas/ceph.ts';

/** Path and message of every mistake. */
function mistakes(schema: z.ZodType, text: string): readonly string[] {
  const { diagnostics } = readDocument('ceph/x.yaml', text, { schema, unsupported: [] });
  return diagnostics.map(({ place, message }) => `${place?.path ?? ''}: ${message}`);
}

const common = { adopt: false, dependsOn: [], suspend: false, cluster: 'default' };
const kept = { ...common, deletionPolicy: 'Orphan' };

describe('what is left out', () => {
  it('of a pool', () => {
    const given = { kind: 'CephPool', name: 'p', application: 'rbd' };
    const usual = {
      ...given,
      ...kept,
      quotas: {},
      parameters: {},
      allowDataMovement: false,
    };
    expect(CephPool.parse({ ...given, replicated: {} })).toEqual({
      ...usual,
      replicated: {},
    });
    const chunks = { dataChunks: 4, codingChunks: 2 };
    expect(CephPool.parse({ ...given, erasureCoded: chunks })).toEqual({
      ...usual,
      erasureCoded: { ...chunks, algorithm: 'jerasure', overwrites: false },
    });
  });

  it('of a rule', () => {
    const given = { kind: 'CephCrushRule', name: 'r' };
    const usual = { type: 'replicated', root: 'default', failureDomain: 'host' };
    expect(CephCrushRule.parse(given)).toEqual({ ...given, ...kept, ...usual });
  });

  it('of a file system', () => {
    const given = { kind: 'CephFilesystem', name: 'f', metadataPool: 'm', dataPools: ['d'] };
    expect(CephFilesystem.parse(given)).toEqual({ ...given, ...kept });
  });

  it('of a group and a subvolume', () => {
    const folder = { name: 's', filesystem: 'f' };
    const usual = { ...kept, mode: 0o755, uid: 0, gid: 0 };
    const group = { kind: 'CephSubvolumeGroup', ...folder };
    expect(CephSubvolumeGroup.parse(group)).toEqual({ ...group, ...usual });
    const subvolume = { kind: 'CephSubvolume', ...folder };
    expect(CephSubvolume.parse(subvolume)).toEqual({
      ...subvolume,
      ...usual,
      namespaceIsolated: false,
    });
  });

  it('of a client', () => {
    const given = { kind: 'CephClient', name: 'c', secret: 's' };
    const id = 'ceph-subvolume/f/_nogroup/a';
    expect(CephClient.parse({ ...given, subvolumes: [{ id }] })).toEqual({
      ...given,
      ...kept,
      subvolumes: [{ id, access: 'rw' }],
      format: 'key',
    });
  });
});

describe('sizes and modes', () => {
  it.each([
    ["'0755'", 0o755],
    ["'755'", 0o755],
    ["'2770'", 0o2770],
    ["'02770'", 0o2770],
  ])('a mode %s', (mode, number) => {
    const text = `kind: CephSubvolume\nname: s\nfilesystem: f\nmode: ${mode}\nsize: 10Gi\n`;
    const { value } = readDocument('ceph/x.yaml', text, { schema: CephSubvolume, unsupported: [] });
    expect(value).toMatchObject({ mode: number, size: 10 * 2 ** 30 });
  });

  it.each(['0755', "'75'", "'0999'", "'rwx'", "'-755'"])('no mode %s', (mode) => {
    const text = `kind: CephSubvolume\nname: s\nfilesystem: f\nmode: ${mode}\n`;
    expect(mistakes(CephSubvolume, text)).toEqual([
      expect.stringMatching(/^mode: write a mode as text, such as `'0755'`/),
    ]);
  });
});

describe('clients of Ceph itself', () => {
  it.each(['admin', 'bootstrap-osd', 'crash', 'crash.node1', 'rgw.a', 'nfs.a', 'iscsi.a'])(
    'such as %s are refused',
    (name) => {
      const text = `kind: CephClient\nname: ${name}\nsecret: s\ncaps: {mon: allow r}\n`;
      expect(mistakes(CephClient, text)).toEqual([
        'name: this is a client of Ceph itself: choose another name',
      ]);
    },
  );

  it.each(['administrator', 'crashes', 'site-blog'])('%s is none', (name) => {
    const text = `kind: CephClient\nname: ${name}\nsecret: s\ncaps: {mon: allow r}\n`;
    expect(mistakes(CephClient, text)).toEqual([]);
  });
});

describe('a pool', () => {
  it.each<[string, readonly string[]]>([
    ['pgNum: 32\npgAutoscaleMode: off\n', []],
    ['pgNum: 32\npgAutoscaleMode: warn\n', []],
    ['pgNumMin: 64\npgNumMax: 32\n', ['pgNumMin: `pgNumMin` is at most `pgNumMax`']],
    ['crushRule: a\nfailureDomain: rack\n', ['failureDomain: `crushRule` says that: leave it out']],
    ['targetSizeRatio: -1\n', ['targetSizeRatio: write a number from 0 to 1000000']],
    [
      'deletionPolicy: Delete\n',
      ['deletionPolicy: write `Orphan`: there is no code that deletes a pool'],
    ],
  ])('with `%s`', (more, words) => {
    const text = `kind: CephPool\nname: p\napplication: rbd\nreplicated: {}\n${more}`;
    expect(mistakes(CephPool, text)).toEqual(words);
  });
});

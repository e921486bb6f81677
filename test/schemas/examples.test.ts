import { readFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { readDocument } from '../../agent/core/document.ts';
import { CephCrushRule, CephPool } from '../../schemas/ceph-pool.ts';
import {
  CephClient,
  CephFilesystem,
  CephSubvolume,
  CephSubvolumeGroup,
} from '../../schemas/ceph.ts';
import { ENVIRONMENT_UNSUPPORTED, Environment } from '../../schemas/environment.ts';
import { ImagesLock } from '../../schemas/images-lock.ts';
import { MySQLDatabase, MySQLRole, MySQLUser } from '../../schemas/mysql.ts';
import { REPOSITORY_UNSUPPORTED, Repository } from '../../schemas/repository.ts';
import { SETTINGS_SCALARS, SETTINGS_UNSUPPORTED, Settings } from '../../schemas/settings.ts';
import { Stack } from '../../schemas/stack.ts';

const kinds: readonly {
  readonly name: string;
  readonly schema: z.ZodType;
  readonly unsupported: readonly string[];
  /** Fewer keys than this were not found in the schema at all. */
  readonly least?: number;
  /** Keys that exclude one of the example. */
  readonly excluded?: readonly string[];
}[] = [
  { name: 'understudy', schema: Repository, unsupported: REPOSITORY_UNSUPPORTED },
  { name: 'environment', schema: Environment, unsupported: ENVIRONMENT_UNSUPPORTED },
  { name: 'stack', schema: Stack, unsupported: [] },
  { name: 'settings', schema: Settings, unsupported: SETTINGS_UNSUPPORTED },
  { name: 'images.lock', schema: ImagesLock, unsupported: [], least: 2 },
  { name: 'mysql-database', schema: MySQLDatabase, unsupported: [] },
  { name: 'mysql-role', schema: MySQLRole, unsupported: [] },
  {
    name: 'mysql-user',
    schema: MySQLUser,
    unsupported: [],
    excluded: [
      '.password.fromFile',
      '.password.hash',
      '.password.key',
      // What a MySQLRole has: its example shows the rest.
      '.privileges[].table',
      '.privileges[].columns',
      '.privileges[].routine',
      '.privileges[].routine.type',
      '.privileges[].routine.name',
      '.privileges[].pattern',
      '.privileges[].grantOption',
    ],
  },
  {
    name: 'ceph-pool',
    schema: CephPool,
    unsupported: [],
    excluded: [
      '.erasureCoded',
      '.erasureCoded.dataChunks',
      '.erasureCoded.codingChunks',
      '.erasureCoded.algorithm',
      '.erasureCoded.overwrites',
      '.crushRule',
      '.pgNum',
      '.parameters.fast_read',
    ],
  },
  { name: 'ceph-crush-rule', schema: CephCrushRule, unsupported: [] },
  { name: 'ceph-filesystem', schema: CephFilesystem, unsupported: [] },
  { name: 'ceph-subvolume-group', schema: CephSubvolumeGroup, unsupported: [] },
  { name: 'ceph-subvolume', schema: CephSubvolume, unsupported: ['output'] },
  {
    name: 'ceph-client',
    schema: CephClient,
    unsupported: [],
    excluded: ['.caps', '.caps.mon', '.caps.osd', '.caps.mds', '.caps.mgr'],
  },
];

const Node = z.looseObject({
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
});

/** Every key of a schema, `[]` for the items of a list and `*` for names that people give. */
function keysOf(schema: unknown, path: string): readonly string[] {
  const node = Node.safeParse(schema).data;
  if (node === undefined) return [];
  return [
    ...Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
      `${path}.${key}`,
      ...keysOf(child, `${path}.${key}`),
    ]),
    ...keysOf(node.additionalProperties, `${path}.*`),
    ...keysOf(node.items, `${path}[]`),
  ];
}

/** The same for a value: a key counts under its own name and under `*`. */
function writtenKeys(value: unknown, path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => writtenKeys(item, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    [key, '*'].flatMap((name) => [`${path}.${name}`, ...writtenKeys(child, `${path}.${name}`)]),
  );
}

describe.each(kinds)(
  'the example of $name',
  ({ name, schema, unsupported, least = 6, excluded = [] }) => {
    const file = `schemas/examples/${name}.yaml`;
    const text = async (): Promise<string> =>
      readFile(new URL(`../../${file}`, import.meta.url), 'utf8');

    it('parses', async () => {
      const { diagnostics } = readDocument(file, await text(), { schema, unsupported: [] });
      expect(diagnostics).toEqual([]);
    });

    it('uses every key of the schema', async () => {
      const { located } = readDocument(file, await text(), { schema, unsupported: [] });
      const json = z.toJSONSchema(schema, {
        io: 'input',
        unrepresentable: 'any',
        reused: 'inline',
      });
      const written = new Set(writtenKeys(located?.value, ''));
      const keys = keysOf(json, '');
      expect(keys.length).toBeGreaterThanOrEqual(least);
      expect(keys.filter((key) => !written.has(key))).toEqual(excluded);
    });

    it('has a comment on every key at the top', async () => {
      const lines = (await text()).split('\n');
      const bare = lines.filter(
        (line, index) =>
          /^[a-z]\w*:\s+\S/i.test(line) && !/^(?:#|[a-z]\w*:)/i.test(lines[index - 1] ?? ''),
      );
      expect(bare.filter((line) => !/^(?:kind):/.test(line))).toEqual([]);
    });

    it('names every unsupported key once, each an error of its own', async () => {
      const { diagnostics } = readDocument(file, await text(), { schema, unsupported });
      expect(diagnostics.map(({ code }) => code)).toEqual(unsupported.map(() => 'unsupported-key'));
      expect(new Set(diagnostics.map(({ place }) => place?.path)).size).toBe(unsupported.length);
    });
  },
);

it('every key that a flag may give is one of the schema', () => {
  const json = z.toJSONSchema(Settings, { io: 'input', unrepresentable: 'any', reused: 'inline' });
  const keys = new Set(keysOf(json, ''));
  expect(SETTINGS_SCALARS.filter((key) => !keys.has(`.${key}`))).toEqual([]);
});

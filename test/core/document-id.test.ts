import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { UnitId } from '../../schemas/common.ts';
import {
  decodedName,
  documentId,
  encodedName,
  namesIn,
  thingOf,
} from '../../agent/core/document-id.ts';
import { UnitId as RecordedId } from '../../agent/record/shapes.ts';

const names = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
  fc.string({ minLength: 1 }),
);

describe('ids of names that hold anything', () => {
  it.each<[string, string]>([
    ['blog', 'mysql-user/blog'],
    ['site_1.nl', 'mysql-user/site_1.nl'],
    ['_backup', 'mysql-user/_backup'],
    ['Läden', 'mysql-user/L%C3%A4den'],
    ['a b', 'mysql-user/a%20b'],
    ['a/b', 'mysql-user/a%2Fb'],
    ["it's", 'mysql-user/it%27s'],
    ['50%', 'mysql-user/50%25'],
    ['..', 'mysql-user/%2E.'],
    ['-x', 'mysql-user/%2Dx'],
  ])('%s is %s', (name, id) => {
    expect(documentId('mysql-user', { name })).toBe(id);
    expect(documentId('mysql-user', { name, server: 'main' })).toBe(id.replace('/', '/main/'));
  });

  it('name what it lies in first', () => {
    const named = { name: 'blog', within: ['cephfs', 'Sites'] };
    expect(documentId('ceph-subvolume', named)).toBe('ceph-subvolume/cephfs/Sites/blog');
    const there = { ...named, server: 'old' };
    expect(documentId('ceph-subvolume', there)).toBe('ceph-subvolume/old/cephfs/Sites/blog');
    expect(thingOf('subvolume', there)).toBe('subvolume:old/cephfs/%53ites/blog');
    expect(namesIn(thingOf('subvolume', there))).toBe('old/cephfs/Sites/blog');
    expect(documentId('ceph-subvolume', { name: 'blog', within: [''] })).toBeUndefined();
    expect(documentId('k', { name: 'a', within: ['b'.repeat(200)] })).toBeUndefined();
  });

  it.each(['', '\ud800', 'ä'.repeat(34), 'a'.repeat(201)])('%j has none', (name) => {
    expect(documentId('mysql-user', { name })).toBeUndefined();
  });

  it('are taken by documents and by the record, and lead back to the name', () => {
    fc.assert(
      fc.property(names, (name) => {
        const id = documentId('mysql-user', { name }) ?? '';
        fc.pre(id !== '');
        expect(UnitId.safeParse(id).success).toBe(true);
        expect(RecordedId.safeParse(id).success).toBe(true);
        expect(decodedName(id.slice('mysql-user/'.length))).toBe(name);
      }),
    );
  });

  it('are as many as there are names and servers, and so are things whatever the capitals', () => {
    const server = fc.option(fc.constantFrom('main', 'Main', 'blog'), { nil: undefined });
    const named = fc.tuple(
      fc.oneof(names, fc.constantFrom('blog', 'Blog', 'main/blog', 'J', 'j')),
      server,
    );
    const whole = ([name, at]: readonly [string, string | undefined]) =>
      at === undefined ? { name } : { name, server: at };
    fc.assert(
      fc.property(named, named, (one, other) => {
        fc.pre(one[0].isWellFormed() && other[0].isWellFormed());
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        const [first, second] = [whole(one), whole(other)];
        const ids = [documentId('k', first), documentId('k', second)];
        fc.pre(!ids.includes(undefined));
        expect(ids[0] === ids[1]).toBe(isSame);
        const things = [thingOf('x', first), thingOf('x', second)].map((text) =>
          text.toLowerCase(),
        );
        expect(things[0] === things[1]).toBe(isSame);
      }),
    );
  });

  it.each(['%2', '%zz', 'a%20b%', '%61', '%2f', 'a b', '%C3'])('%s is no part of one', (part) => {
    expect(decodedName(part)).toBeUndefined();
    expect(encodedName('a')).toBe('a');
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { cyclesOf, edgesOf, inOrder } from '../../agent/core/edges.ts';
import type { Id } from '../../agent/core/kind.ts';

interface Bound {
  readonly id: Id;
  readonly dependsOn: readonly Id[];
  readonly needs: readonly string[];
  readonly gives: readonly string[];
}

const idOf = (name: string | number): Id => `stack/${String(name)}`;

function bound(name: string, on: string, rest: Partial<Bound> = {}): Bound {
  const dependsOn = on.split(' ').filter(Boolean).map(idOf);
  return { id: idOf(name), dependsOn, needs: [], gives: [], ...rest };
}

/** `web: db cache`, one unit a line. */
function graph(text: string): readonly Bound[] {
  return text.split(/ *\n */).map((line) => {
    const [name = '', on = ''] = line.split(/ *: */);
    return bound(name, on);
  });
}

const named = (ids: readonly Id[]): string => ids.map((id) => id.replace('stack/', '')).join(' ');
const orderOf = (units: readonly Bound[]): string => named(inOrder(edgesOf(units)));
const cycles = (units: readonly Bound[]): readonly string[] => cyclesOf(edgesOf(units)).map(named);

describe('edges', () => {
  it('are what is written and what somebody else makes, each once', () => {
    const units = [
      bound('web', 'db', { needs: ['network:Proxy_public', 'secret:db_key', 'config:elsewhere'] }),
      bound('db', '', { gives: ['secret:db_key'] }),
      bound('proxy', 'gone', { gives: ['network:proxy_public', 'config:proxy_public'] }),
    ];
    expect([...edgesOf(units)]).toEqual([
      ['stack/web', ['stack/db', 'stack/proxy']],
      ['stack/db', []],
      ['stack/proxy', []],
    ]);
  });

  it('do not join things of another sort that have one name', () => {
    const units = [
      bound('web', '', { needs: ['secret:x'] }),
      bound('db', '', { gives: ['config:x'] }),
    ];
    expect(edgesOf(units).get('stack/web')).toEqual([]);
  });
});

describe('the order', () => {
  it.each([
    ['as they are without edges', 'c\na\nb', 'c a b'],
    ['what is depended on first', 'web: db\ndb', 'db web'],
    ['through others', 'a: b\nb: c\nc\nd', 'c b a d'],
    ['a diamond', 'a: b c\nb: d\nc: d\nd', 'd b c a'],
    ['of a cycle too, so that nobody hangs', 'a: b\nb: a\nc: a', 'b a c'],
  ])('%s', (_, text, expected) => expect(orderOf(graph(text))).toBe(expected));

  it('has every unit after all that it depends on', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(30), { maxLength: 5 }), { maxLength: 30 }), (rows) => {
        const units = rows.map((on, at) =>
          bound(String(at), on.filter((one) => one > at && one < rows.length).join(' ')),
        );
        const order = inOrder(edgesOf(units));
        expect(order.toSorted()).toEqual(units.map(({ id }) => id).toSorted());
        for (const [id, on] of edgesOf(units)) {
          for (const one of on) expect(order.indexOf(one)).toBeLessThan(order.indexOf(id));
        }
      }),
    );
  });

  it('goes down a chain of any length', () => {
    const units = Array.from({ length: 50_000 }, (_, at) => bound(String(at), String(at + 1)));
    const [first] = inOrder(edgesOf(units));
    expect(first).toBe('stack/49999');
  });
});

describe('cycles', () => {
  it.each([
    ['none', 'a: b\nb: c\nc', []],
    ['none in a diamond', 'a: b c\nb: d\nc: d\nd', []],
    ['itself', 'a: a', ['a']],
    ['two', 'b: a\na: b', ['a b']],
    ['three, from the first by name', 'z: x\nx: y\ny: z', ['x y z']],
    ['not what only leads there', 'in: a\na: b\nb: a', ['a b']],
    ['two that have nothing in common', 'a: b\nb: a\nc: d\nd: c', ['a b', 'c d']],
    ['two that share a unit', 'a: b c\nb: a\nc: a', ['a b', 'a c']],
    ['one that is closed by two ways in', 'p: a\nq: b\na: b\nb: a', ['a b']],
  ])('%s', (_, text, expected) => expect(cycles(graph(text))).toEqual(expected));

  it('are found exactly where there are any, are real, and are named once', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(7), { maxLength: 3 }), { maxLength: 8 }), (rows) => {
        const units = rows.map((on, at) => bound(String(at), on.join(' ')));
        const edges = edgesOf(units);
        const found = cyclesOf(edges);
        for (const way of found) {
          for (const [at, id] of way.entries()) {
            expect(edges.get(id)).toContain(way[(at + 1) % way.length]);
          }
          expect(way[0]).toBe(way.toSorted()[0]);
          expect(new Set(way).size).toBe(way.length);
        }
        expect(new Set(found.map(String)).size).toBe(found.length);
        expect(found.length > 0).toBe(reachesItself(edges));
      }),
    );
  });
});

function reachesItself(edges: ReadonlyMap<Id, readonly Id[]>): boolean {
  return [...edges.keys()].some((start) => {
    const seen = new Set<Id>();
    const queue = [...(edges.get(start) ?? [])];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      queue.push(...(edges.get(at) ?? []));
    }
    return seen.has(start);
  });
}

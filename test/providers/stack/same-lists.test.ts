import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { once } from '../../../agent/providers/stack/once.ts';
import { SameLists } from '../../../agent/providers/stack/same-lists.ts';
import { idleService } from '../../contract/swarm.ts';
import { FakeEngine } from '../../fakes/swarm-engine.ts';
import { directSwarm } from '../../fakes/swarm-modem.ts';

const itemsOf = (list: unknown): readonly unknown[] => (Array.isArray(list) ? list : []);

const inOrder = (list: unknown): readonly string[] =>
  itemsOf(list)
    .map((item) => JSON.stringify(item))
    .toSorted();

describe('the last lists', () => {
  it('are the same object while the text is the same, and hold the same items where only others changed', () => {
    const lists = new SameLists();
    const first = lists.recall('/services', '[{"ID":"a","n":[1]},{"ID":"b"}]\n');
    expect(first).toEqual([{ ID: 'a', n: [1] }, { ID: 'b' }]);
    expect(lists.recall('/services', '[{"ID":"a","n":[1]},{"ID":"b"}]\n')).toBe(first);
    const second = lists.recall('/services', '[{"ID":"c"},{"ID":"a","n":[1]}]');
    expect(second).toEqual([{ ID: 'c' }, { ID: 'a', n: [1] }]);
    expect(itemsOf(second)[1]).toBe(itemsOf(first)[0]);
    const gone = lists.recall('/services', '[{"ID":"b"}]');
    // Only the last answer counts: nothing that went long ago is kept.
    expect(itemsOf(gone)[0]).not.toBe(itemsOf(first)[1]);
  });

  it.each([
    [
      'whose items hold what their beginning looks like',
      '[{"Name":"a","Peers":[{"Name":"p"},{"Name":"q"}]}]',
    ],
    ['of no objects', '["a"]'],
    ['of nothing', '[]'],
    ['that is cut', '[{"ID":"a"},{"ID":"b"'],
    ['with something behind it', '[{"ID":"a"}] [{"ID":"b"}]'],
    ['that is no list', '{"ID":"a"}'],
    ['with too many commas', '[{"ID":"a"},,{"ID":"b"}]'],
  ])('are not made of pieces of one %s', (_what, text) => {
    expect(new SameLists().recall('/x', text)).toBeUndefined();
  });

  it('are the same object where the engine gives the same items in another order', () => {
    const lists = new SameLists();
    lists.recall('/networks', '[{"Name":"a"},{"Name":"b"}]');
    const first = lists.recall('/networks', '[{"Name":"b"},{"Name":"a"},{"Name":"c"}]');
    expect(lists.recall('/networks', '[{"Name":"c"},{"Name":"b"},{"Name":"a"}]')).toBe(first);
    expect(lists.recall('/networks', '[{"Name":"a"},{"Name":"c"},{"Name":"b"}]')).toBe(first);
    expect(lists.recall('/networks', '[{"Name":"a"},{"Name":"c"},{"Name":"c"}]')).not.toBe(first);
    expect(lists.recall('/networks', '[{"Name":"a"},{"Name":"c"}]')).toEqual([
      { Name: 'a' },
      { Name: 'c' },
    ]);
  });

  it('say what the whole text says in some order, whatever it is', () => {
    const text = fc.constantFrom(
      'a',
      '},{"ID":"',
      '\\"',
      ']',
      ',{"ID":',
      '[{"ID":"x"},{"ID":"y"}]',
    );
    const item = fc.record(
      {
        ID: text,
        Deep: fc.array(fc.record({ ID: text })),
        Text: fc.array(text).map((all) => all.join('')),
      },
      { requiredKeys: ['ID'] },
    );
    fc.assert(
      fc.property(fc.array(fc.array(item), { minLength: 1, maxLength: 4 }), (answers) => {
        const lists = new SameLists();
        for (const answer of answers) {
          const read = lists.recall('/x', JSON.stringify(answer));
          expect(inOrder(read ?? answer)).toEqual(inOrder(answer));
        }
      }),
    );
  });

  it('are told apart by what was asked: equal texts may be answers to two questions', () => {
    const lists = new SameLists();
    lists.keep('/tasks', '[]', []);
    expect(lists.recall('/tasks?filters=x', '[]')).toBeUndefined();
  });

  it('are bounded, in number and in length, and nothing but lists', () => {
    const lists = new SameLists();
    lists.keep('/info', '{}', {});
    expect(lists.recall('/info', '{}')).toBeUndefined();
    const long = `[${' '.repeat(8 * 2 ** 20)}]`;
    lists.keep('/configs', long, []);
    expect(lists.recall('/configs', long)).toBeUndefined();
    for (let at = 0; at < 17; at += 1) lists.keep(`/${String(at)}`, '[]', []);
    expect(lists.recall('/0', '[]')).toBeUndefined();
    expect(lists.recall('/16', '[]')).toBeDefined();
  });

  it('forget what came before where the next answer is not kept', () => {
    const lists = new SameLists();
    lists.keep('/configs', '[]', []);
    lists.keep('/configs', '{}', {});
    expect(lists.recall('/configs', '[]')).toBeUndefined();
  });
});

it('reads one list once, and each other one', () => {
  let read = 0;
  const shape = once((json: unknown) => {
    read += 1;
    return { ok: true, value: json };
  });
  const list = [1];
  expect(shape(list)).toBe(shape(list));
  expect(read).toBe(1);
  expect(shape([1])).toEqual({ ok: true, value: [1] });
  expect(read).toBe(2);
  expect(shape('text')).toEqual({ ok: true, value: 'text' });
});

it('gives two looks at one Swarm the same lists, and another one as soon as something is made', async () => {
  const engine = new FakeEngine();
  const swarm = directSwarm(engine);
  const look = async () => {
    const seen = await swarm.observe(new AbortController().signal);
    if (seen.status !== 'ok') throw new Error(seen.why);
    return seen.value;
  };
  const first = await look();
  const second = await look();
  expect(second.services).toBe(first.services);
  const text = JSON.stringify(idleService('web'));
  const query = new URLSearchParams();
  engine.handle({ method: 'POST', path: '/services/create', query, text });
  const third = await look();
  expect(third.services.map(({ spec }) => spec.Name)).toEqual(['web']);
  expect(third.networks).toBe(first.networks);
  expect((await look()).services).toBe(third.services);
  engine.handle({
    method: 'POST',
    path: '/services/create',
    query,
    text: JSON.stringify(idleService('db')),
  });
  const [web] = third.services;
  expect((await look()).services.find(({ spec }) => spec.Name === 'web')).toBe(web);
});

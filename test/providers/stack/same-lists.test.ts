import { describe, expect, it } from 'vitest';

import { once, SameLists } from '../../../agent/providers/stack/same-lists.ts';
import { idleService } from '../../contract/swarm.ts';
import { FakeEngine } from '../../fakes/swarm-engine.ts';
import { directSwarm } from '../../fakes/swarm-modem.ts';

describe('the last lists', () => {
  it('are the same object while the text is the same, and another one as soon as it is not', () => {
    const lists = new SameLists();
    const value = [{ ID: 'a' }];
    lists.keep('/services', '[{"ID":"a"}]', value);
    expect(lists.recall('/services', '[{"ID":"a"}]')).toBe(value);
    expect(lists.recall('/services', '[{"ID":"b"}]')).toBeUndefined();
    lists.keep('/services', '[{"ID":"b"}]', [{ ID: 'b' }]);
    expect(lists.recall('/services', '[{"ID":"a"}]')).toBeUndefined();
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
  const shape = once((json) => {
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
});

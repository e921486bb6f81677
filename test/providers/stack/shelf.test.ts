import { describe, expect, it } from 'vitest';
import { indexState, type StackObserved } from '../../../agent/providers/stack/observed.ts';
import { swarmHead } from '../../../agent/providers/stack/head.ts';
import { swarmShelf } from '../../../agent/providers/stack/shelf.ts';
import type { Shelf } from '../../../agent/reconcile/ports.ts';
import { headFormat } from '../../../agent/record/head.ts';
import { aloneOn } from '../../fakes/lease.ts';
import { FakeEngine } from '../../fakes/swarm-engine.ts';
import { directSwarm } from '../../fakes/swarm-modem.ts';

const { signal } = new AbortController();
const headName = 'understudy.head';
const data = Buffer.from('{}').toString('base64');

function opened() {
  const engine = new FakeEngine();
  const swarm = directSwarm(engine);
  const head = swarmHead(
    swarm,
    headFormat((bytes) => Buffer.alloc(bytes, 7)),
  );
  const keeper = swarmShelf(swarm, headName, aloneOn(head));
  const observe = async (): Promise<StackObserved> => {
    const outcome = await swarm.observe(signal);
    if (outcome.status !== 'ok') throw new Error(outcome.why);
    return indexState(outcome.value, undefined);
  };
  const look = async (): Promise<Shelf> => {
    const shelf = keeper.look(await observe());
    if (shelf === undefined) throw new Error('there is no head');
    return shelf;
  };
  return { engine, head, keeper, observe, look };
}

describe('the shelf on the Swarm', () => {
  it('is none while there is no head, whatever else is there', async () => {
    const { keeper, observe } = opened();
    await keeper.put('understudy.b.1', data, signal);
    await keeper.put('Understudy.head', data, signal);
    expect(keeper.look(await observe())).toBeUndefined();
  });

  it('shows the head and the blobs, and nothing that is not ours', async () => {
    const { engine, keeper, look } = opened();
    const names = ['understudy.b.1', headName, 'understudy.r.2', 'blog_site', 'understudyx'];
    for (const name of names) await keeper.put(name, data, signal);
    const ids = new Map([...engine.configs.values()].map(({ id, name }) => [name, id]));
    expect(await look()).toEqual({
      head: { id: ids.get(headName), version: expect.any(Number), labels: {} },
      blobs: new Map([
        ['understudy.b.1', { id: ids.get('understudy.b.1'), data }],
        ['understudy.r.2', { id: ids.get('understudy.r.2'), data }],
      ]),
    });
  });

  it('says that a blob is there already', async () => {
    const { keeper } = opened();
    expect(await keeper.put('understudy.b.1', data, signal)).toMatchObject({ status: 'ok' });
    expect(await keeper.put('understudy.b.1', data, signal)).toMatchObject({
      status: 'refused',
      cause: 'name-taken',
    });
  });

  it('changes the labels of the head as they are by then, all at once', async () => {
    const { head, keeper, look } = opened();
    await head.make(signal);
    const labels = { 'understudy.record': '{"root":"a"}', 'understudy.request.0': '{}' };
    expect(await keeper.relabel(() => labels, signal)).toMatchObject({ status: 'ok' });
    expect((await look()).head.labels).toEqual(labels);
    const outcome = await keeper.relabel(
      ({ 'understudy.record': record = '' }) => ({ 'understudy.record': record }),
      signal,
    );
    expect(outcome).toMatchObject({ status: 'ok' });
    expect((await look()).head.labels).toEqual({ 'understudy.record': '{"root":"a"}' });
  });

  it('is read and made alone, by one only', async () => {
    const { head } = opened();
    expect(await head.read(signal)).toEqual({ status: 'ok', value: undefined });
    const made = await Promise.all([head.make(signal), head.make(signal)]);
    expect(made.map(({ status }) => status).toSorted()).toEqual(['ok', 'refused']);
    expect(made.find(({ status }) => status === 'refused')).toMatchObject({ cause: 'name-taken' });
    const read = await head.read(signal);
    if (read.status !== 'ok' || read.value === undefined) throw new Error('no head');
    expect(await head.swap(read.value, { a: '1' }, signal)).toMatchObject({ status: 'ok' });
    expect(await head.swap(read.value, { a: '2' }, signal)).toMatchObject({
      status: 'refused',
      cause: 'out-of-sequence',
    });
  });

  it('removes a blob, once more where it is gone, and never the head', async () => {
    const { keeper, look } = opened();
    await keeper.put(headName, data, signal);
    await keeper.put('understudy.b.1', data, signal);
    const { head, blobs } = await look();
    const blob = { id: blobs.get('understudy.b.1')?.id ?? '', name: 'understudy.b.1' };
    expect(await keeper.remove(blob, signal)).toMatchObject({ status: 'ok' });
    expect(await keeper.remove(blob, signal)).toMatchObject({ status: 'ok' });
    expect((await look()).blobs.size).toBe(0);
    await expect(keeper.remove({ id: head.id, name: headName }, signal)).rejects.toThrow(
      'no blob of the record',
    );
  });
});

import { describe, expect, it } from 'vitest';

import type { Request } from '../../agent/core/unit.ts';
import { requestLabel } from '../../agent/record/requests.ts';
import { FakeShelf } from '../fakes/shelf.ts';
import { open, reload, save, signal, unitAt, value, withUnits } from './support.ts';

const retry: Request = { verb: 'retry', id: 'stack/blog', by: 'root@m1' };
const rollback: Request = { verb: 'rollback', id: 'stack/shop', by: 'root@m2', release: '1a2b' };

function ask(shelf: FakeShelf, request: Request, random: string): void {
  const label = requestLabel(request, random);
  if (label.status !== 'ok') throw new Error(label.why);
  shelf.relabel({ [label.key]: label.value });
}

describe('requests', () => {
  it('to approve name a digest and no unit', () => {
    const shelf = new FakeShelf();
    const approve: Request = { verb: 'approve', digest: '1234567890ab', by: 'root@m1' };
    ask(shelf, approve, '0000000a');
    expect(value(open(shelf).load(shelf.look())).requests).toEqual([approve]);
    for (const digest of ['1234567', 'x234567890ab', '1'.repeat(65)]) {
      expect(requestLabel({ ...approve, digest }, '0000000a').status).toBe('refused');
    }
  });

  it('to look at the repository name no unit, and bear a nonce', () => {
    const shelf = new FakeShelf();
    const look: Request = { verb: 'reconcile', by: 'root@m1', nonce: '0000000a' };
    ask(shelf, look, '0000000a');
    expect(value(open(shelf).load(shelf.look())).requests).toEqual([look]);
    expect(requestLabel({ ...look, nonce: 'x' }, '0000000a').status).toBe('refused');
  });

  it('that are not taken stay, while others are', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    const look: Request = { verb: 'reconcile', by: 'root@m1', nonce: '0000000b' };
    ask(shelf, retry, '0000000a');
    ask(shelf, look, '0000000b');
    const observed = shelf.look();
    const { units, history, ...loaded } = value(recorder.load(observed));
    const taken = { ...loaded, units, history, requests: [retry] };
    value(await recorder.save(observed, taken, { units, history }, signal));
    expect(value(recorder.load(shelf.look())).requests).toEqual([look]);
  });

  it('are read from the labels of the head, before anything was recorded too', () => {
    const shelf = new FakeShelf();
    ask(shelf, rollback, '0000000b');
    ask(shelf, retry, '0000000a');
    expect(value(open(shelf).load(shelf.look())).requests).toEqual([retry, rollback]);
  });

  it.each<Request>([
    { ...retry, digest: 'a'.repeat(64) },
    { ...rollback, digest: 'a'.repeat(64) },
  ])('may name what the person saw: $verb', (request) => {
    const shelf = new FakeShelf();
    ask(shelf, request, '0000000a');
    expect(value(open(shelf).load(shelf.look())).requests).toEqual([request]);
  });

  it('are taken away in the same write that records their effect', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    ask(shelf, retry, '0000000a');
    shelf.relabel({ 'understudy.freeze': '{"by":"root"}' });
    await save(recorder, shelf, withUnits(['stack/blog', unitAt('a')]));
    expect(shelf.takeWrites().filter((write) => write === 'swap')).toHaveLength(1);
    const { requests, units } = value(recorder.load(shelf.look()));
    expect(requests).toEqual([]);
    expect(units.size).toBe(1);
    expect(Object.keys(shelf.head?.labels ?? {}).toSorted()).toEqual([
      'understudy.freeze',
      'understudy.record',
    ]);
  });

  it('are taken away with one write where they have no effect', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    ask(shelf, retry, '0000000a');
    await save(recorder, shelf, () => ({}));
    expect(shelf.takeWrites()).toEqual(['swap']);
    expect(shelf.head?.labels).toEqual({});
    await save(recorder, shelf, () => ({}));
    expect(shelf.takeWrites()).toEqual([]);
  });

  it.each(['refuse', 'unknown-not-done', 'crash-before'] as const)(
    'stay when the write ends as %s, and are taken by the next one',
    async (fault) => {
      const shelf = new FakeShelf();
      ask(shelf, retry, '0000000a');
      shelf.failAfter(2, fault);
      const change = withUnits(['stack/blog', unitAt('a')]);
      await save(open(shelf), shelf, change).catch(() => undefined);
      expect(value(open(shelf).load(shelf.look())).requests).toEqual([retry]);
      expect(reload(shelf).units.size).toBe(0);
      await save(open(shelf), shelf, change);
      expect(value(open(shelf).load(shelf.look())).requests).toEqual([]);
    },
  );

  it('that came meanwhile are not lost: nothing is written over them', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    ask(shelf, retry, '0000000a');
    const observed = shelf.look();
    const loaded = value(recorder.load(observed));
    ask(shelf, rollback, '0000000b');
    shelf.relabel({ 'understudy.request.0000000c': 'not JSON' });
    const outcome = await recorder.save(observed, loaded, loaded, signal);
    expect(outcome.status).toBe('ok');
    const { requests, notes } = value(recorder.load(shelf.look()));
    expect(requests).toEqual([rollback]);
    expect(notes).toEqual([expect.stringContaining('0000000c')]);
  });

  it('that were not in what was loaded stay', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    ask(shelf, retry, '0000000a');
    const loaded = value(recorder.load(shelf.look()));
    ask(shelf, rollback, '0000000b');
    expect((await recorder.save(shelf.look(), loaded, loaded, signal)).status).toBe('ok');
    expect(value(recorder.load(shelf.look())).requests).toEqual([rollback]);
  });

  it.each([
    ['not JSON', '0000000a', '{'],
    ['of a verb that is not known', '0000000a', '{"verb":"dance","id":"stack/blog","by":"root"}'],
    ['of no unit', '0000000a', '{"verb":"retry","id":"blog","by":"root"}'],
    ['of nobody', '0000000a', '{"verb":"retry","id":"stack/blog","by":""}'],
    [
      'by somebody who paints the screen',
      '0000000a',
      '{"verb":"retry","id":"stack/blog","by":"\\u001b[2J"}',
    ],
    ['by too long a name', '0000000a', JSON.stringify({ ...retry, by: 'x'.repeat(101) })],
    ['of a release that is no name', '0000000a', JSON.stringify({ ...rollback, release: '' })],
    ['of a digest that is none', '0000000a', JSON.stringify({ ...retry, digest: 'a b' })],
    ['under a name without its digits', 'now', JSON.stringify(retry)],
  ])('that are %s are named and removed', async (_what, random, text) => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    const key = `understudy.request.${random}`;
    shelf.relabel({ [key]: text, other: 'label' });
    const { requests, notes } = value(recorder.load(shelf.look()));
    expect(requests).toEqual([]);
    expect(notes).toEqual([expect.stringContaining(key)]);
    expect((await save(recorder, shelf, () => ({}))).status).toBe('ok');
    expect(shelf.takeWrites()).toEqual(['swap']);
    expect(shelf.head?.labels).toEqual({ other: 'label' });
    expect(value(recorder.load(shelf.look())).notes).toEqual([]);
  });

  it.each<readonly [string, Request, string]>([
    ['too long a name', { ...retry, by: 'x'.repeat(101) }, '0000000a'],
    ['a line break', { ...retry, by: 'root\nm1' }, '0000000a'],
    ['no unit', { ...retry, id: '/' }, '0000000a'],
    ['a unit with a space', { ...retry, id: 'stack/a b' }, '0000000a'],
    ['a release with a space', { ...rollback, release: 'a b' }, '0000000a'],
    ['too few digits', retry, 'a'],
    ['other digits', retry, 'ABCDEFGH'],
  ])('with %s are refused where they are made', (_what, request, random) => {
    expect(requestLabel(request, random)).toMatchObject({
      status: 'refused',
      why: expect.stringMatching(/\w/),
    });
  });
});

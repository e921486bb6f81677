import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Answer, Question } from '../../agent/core/kind.ts';
import { Beats, isNews, nextAnswer } from '../../agent/probes/beats.ts';
import type { Outcome } from '../../agent/probes/outcome.ts';
import { openProber } from '../../agent/probes/prober.ts';
import { VirtualClock } from '../fakes/clock.ts';

const good: Outcome = { status: 'good', detail: 'fine' };
const bad: Outcome = { status: 'bad', detail: 'no' };

/** `parts` make it another question. */
function question(host: string, parts: Partial<Question & { ask: 'tcp' }> = {}): Question {
  return { ask: 'tcp', host, port: 80, everyMs: 5000, timeoutMs: 3000, nodes: [], ...parts };
}

interface Asking {
  readonly host: string;
  readonly atMs: number;
  readonly signal: AbortSignal;
  readonly answer: (outcome: Outcome) => void;
}

/** Beats whose questions are answered by hand; by the deadline each answers as its signal asks it to. */
function stage() {
  const clock = new VirtualClock();
  const askings: Asking[] = [];
  const told: number[] = [];
  const beats = new Beats({
    clock,
    ask: async (asked, signal) => {
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      const host = asked.ask === 'tcp' ? asked.host : asked.ask;
      askings.push({ host, atMs: clock.nowMs(), signal, answer: resolve });
      signal.addEventListener('abort', () => resolve({ status: 'bad', detail: 'late' }));
      return promise;
    },
    answered: () => told.push(clock.nowMs()),
  });
  const last = (): Asking => {
    const asking = askings.at(-1);
    if (asking === undefined) throw new Error('nothing was asked');
    return asking;
  };
  const reply = async (outcome: Outcome): Promise<void> => {
    last().answer(outcome);
    await clock.settle();
  };
  return { clock, askings, told, beats, last, reply };
}

const noLog = async (): Promise<Outcome> => Promise.resolve({ status: 'open', detail: '' });

describe('the beat of a question', () => {
  it('is asked at once, and again so long after the end of the last asking', async () => {
    const { beats, clock, askings, reply } = stage();
    beats.ask([{ name: 'a', question: question('a') }]);
    expect(askings.map(({ atMs }) => atMs)).toEqual([0]);
    expect(beats.answers().size).toBe(0);
    await clock.advance(1000);
    await reply(good);
    expect(beats.answers().get('a')).toEqual({ ...good, inARow: 1, wasGood: true });
    await clock.advance(4999);
    expect(askings).toHaveLength(1);
    await clock.advance(1);
    expect(askings.map(({ atMs }) => atMs)).toEqual([0, 6000]);
    expect(beats.answers().get('a')).toMatchObject({ inARow: 1 });
  });

  it('has a deadline', async () => {
    const { beats, clock, last } = stage();
    beats.ask([{ name: 'a', question: question('a') }]);
    await clock.advance(2999);
    expect(last().signal.aborted).toBe(false);
    await clock.advance(1);
    expect(beats.answers().get('a')).toMatchObject({ status: 'bad', detail: 'late', inARow: 1 });
  });

  it('an answer in time leaves no deadline behind', async () => {
    const { beats, clock, last, reply } = stage();
    beats.ask([{ name: 'a', question: question('a', { everyMs: 60_000 }) }]);
    await reply(good);
    await clock.advance(10_000);
    expect(last().signal.aborted).toBe(false);
    expect(beats.answers().get('a')).toMatchObject(good);
  });

  it('an asker that breaks leaves the question open and the beat going', async () => {
    const clock = new VirtualClock();
    const beats = new Beats({
      clock,
      ask: async () => Promise.reject(new Error('broken')),
      answered: () => undefined,
    });
    beats.ask([{ name: 'a', question: question('a') }]);
    await clock.advance(5000);
    expect(beats.answers().get('a')).toMatchObject({ status: 'open', inARow: 2, wasGood: false });
  });
});

describe('what is asked', () => {
  it('an equal question goes on, whatever the order of its nodes', async () => {
    const { beats, clock, askings, reply } = stage();
    beats.ask([{ name: 'a', question: question('a', { nodes: ['10.0.0.1', '10.0.0.2'] }) }]);
    await reply(good);
    await clock.advance(3000);
    beats.ask([{ name: 'a', question: question('a', { nodes: ['10.0.0.2', '10.0.0.1'] }) }]);
    expect(beats.answers().get('a')).toMatchObject({ wasGood: true });
    await clock.advance(1999);
    expect(askings).toHaveLength(1);
    await clock.advance(1);
    expect(askings).toHaveLength(2);
  });

  it.each<[string, Question]>([
    ['another port', question('a', { port: 81 })],
    ['another beat', question('a', { everyMs: 6000 })],
    ['other nodes', question('a', { nodes: ['10.0.0.1'] })],
    ['another kind', { ask: 'image', image: 'site:1', everyMs: 5000 }],
  ])('%s under the same name begins anew', async (_, other) => {
    const { beats, askings, reply } = stage();
    beats.ask([{ name: 'a', question: question('a') }]);
    await reply(good);
    beats.ask([{ name: 'a', question: other }]);
    expect(askings).toHaveLength(2);
    expect(beats.answers().size).toBe(0);
    await reply(bad);
    expect(beats.answers().get('a')).toEqual({ ...bad, inARow: 1, wasGood: false });
  });

  it('what is asked no more is stopped and forgotten', async () => {
    const { beats, clock, askings, reply, told } = stage();
    beats.ask([{ name: 'a', question: question('a') }]);
    await reply(good);
    beats.ask([]);
    expect(beats.answers().size).toBe(0);
    expect(clock.nextMs).toBeUndefined();
    beats.ask([{ name: 'a', question: question('a') }]);
    expect(beats.answers().size).toBe(0);
    expect(askings).toHaveLength(2);
    expect(told).toHaveLength(1);
  });

  it('a late answer of a stopped question is dropped, also where its name is asked again', async () => {
    const { beats, clock, askings, told } = stage();
    beats.ask([{ name: 'a', question: question('a') }]);
    beats.ask([{ name: 'a', question: question('b') }]);
    expect(askings[0]?.signal.aborted).toBe(true);
    askings[0]?.answer(good);
    await clock.settle();
    expect(beats.answers().size).toBe(0);
    expect(told).toEqual([]);
    await clock.advance(3000);
    expect(beats.answers().get('a')).toMatchObject({ detail: 'late', wasGood: false });
    expect(askings).toHaveLength(2);
  });

  it('a name that stands there twice counts once', async () => {
    const { beats, askings } = stage();
    const twice = ['a', 'b'].map((host) => ({ name: 'x', question: question(host) }));
    beats.ask(twice);
    beats.ask(twice);
    expect(askings.map(({ host }) => host)).toEqual(['a']);
  });

  it('closing stops all and begins nothing', async () => {
    const { beats, clock, askings, told } = stage();
    beats.ask(['a', 'b'].map((host) => ({ name: host, question: question(host) })));
    askings[0]?.answer(good);
    await clock.settle();
    beats.close();
    await clock.settle();
    expect(askings.map(({ signal }) => signal.aborted)).toEqual([false, true]);
    expect(clock.nextMs).toBeUndefined();
    beats.ask([{ name: 'c', question: question('c') }]);
    expect(askings).toHaveLength(2);
    expect(beats.answers().size).toBe(0);
    expect(told).toHaveLength(1);
  });
});

describe('64 at once', () => {
  const many = Array.from({ length: 100 }, (_, index) => ({
    name: `q${index}`,
    question: question(`h${index}`),
  }));

  it('the others wait for their turn, and their time begins with it', async () => {
    const { beats, clock, askings } = stage();
    beats.ask(many);
    expect(askings).toHaveLength(64);
    await clock.advance(2000);
    askings[10]?.answer(good);
    await clock.settle();
    expect(askings.map(({ host }) => host).slice(64)).toEqual(['h64']);
    await clock.advance(1000);
    expect(askings).toHaveLength(100);
    expect(askings[64]?.signal.aborted).toBe(false);
    await clock.advance(2000);
    expect(askings[64]?.signal.aborted).toBe(true);
  });

  it('one that is stopped while it waits is never asked', async () => {
    const { beats, clock, askings } = stage();
    beats.ask(many);
    beats.ask(many.filter(({ name }) => name !== 'q64' && name !== 'q0'));
    await clock.settle();
    expect(askings.map(({ host }) => host).slice(64)).toEqual(['h65']);
  });

  it('nobody is left out: each is asked once a round', async () => {
    const { beats, clock, askings } = stage();
    beats.ask(many);
    // The first 64 to their deadline, then the others to theirs: nobody is due a second time.
    await clock.advance(3000 + 3000 + 1);
    const counts = new Map<string, number>();
    for (const { host } of askings) counts.set(host, (counts.get(host) ?? 0) + 1);
    expect(counts.size).toBe(100);
    expect(Math.max(...counts.values())).toBe(1);
  });
});

describe('what an answer says', () => {
  const outcomes = fc.array(
    fc.constantFrom<Outcome>(good, bad, { status: 'open', detail: 'who knows' }),
    { minLength: 1, maxLength: 30 },
  );

  it('counts the same status in a row, and never forgets a good one', () => {
    fc.assert(
      fc.property(outcomes, (all) => {
        let answer: Answer | undefined;
        for (const one of all) answer = nextAnswer(answer, one);
        const last = all.at(-1);
        const before = all.findLastIndex(({ status }) => status !== last?.status);
        expect(answer).toEqual({
          ...last,
          inARow: all.length - before - 1,
          wasGood: all.some(({ status }) => status === 'good'),
        });
      }),
    );
  });

  it('wakes for each other status and for each further bad one, and for nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(outcomes, async (all) => {
        const { beats, clock, reply, told } = stage();
        beats.ask([{ name: 'a', question: question('a') }]);
        let expected = 0;
        let before: string | undefined;
        for (const one of all) {
          await reply(one);
          if (one.status !== before || one.status === 'bad') expected += 1;
          before = one.status;
          expect(told).toHaveLength(expected);
          await clock.advance(5000);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('stops counting, and waking, somewhere', () => {
    let answer: Answer | undefined;
    for (let turn = 0; turn < 1000; turn += 1) answer = nextAnswer(answer, bad);
    const next = nextAnswer(answer, bad);
    expect(next.inARow).toBe(1000);
    expect(isNews(answer, next)).toBe(false);
  });
});

describe('an image', () => {
  const asked = [
    { name: 'i', question: { ask: 'image', image: 'site:1', everyMs: 30_000 } },
  ] as const;

  it('is asked of the registry, in clean words', async () => {
    const clock = new VirtualClock();
    const images: string[] = [];
    const image = async ({ image: name }: { readonly image: string }): Promise<Outcome> => {
      images.push(name);
      return Promise.resolve({ status: 'bad', detail: 'not\nthere' });
    };
    const prober = openProber({ clock, image, log: noLog, allow: [], answered: () => undefined });
    prober.ask(asked);
    await clock.advance(30_000);
    expect(images).toEqual(['site:1', 'site:1']);
    expect(prober.answers().get('i')).toMatchObject({ detail: 'not\\nthere', inARow: 2 });
    prober.close();
  });

  it('of a registry that says nothing is open after 20 s, even where the call cannot be stopped', async () => {
    const clock = new VirtualClock();
    const image = async (): Promise<Outcome> => new Promise(() => undefined);
    const prober = openProber({ clock, image, log: noLog, allow: [], answered: () => undefined });
    prober.ask(asked);
    await clock.advance(19_999);
    expect(prober.answers().size).toBe(0);
    await clock.advance(1);
    expect(prober.answers().get('i')).toMatchObject({
      status: 'open',
      detail: 'the registry does not answer',
    });
    prober.close();
  });
});

describe('a log', () => {
  const asked = [
    { name: 'l', question: { ask: 'log', task: 't1', everyMs: 3_600_000, timeoutMs: 3_000 } },
  ] as const;
  const image = async (): Promise<Outcome> => new Promise(() => undefined);

  it('is read once, as it was written, and its end is kept', async () => {
    const clock = new VirtualClock();
    const read: string[] = [];
    const log = async (question: {
      ask: string;
      task?: string;
      container?: string;
    }): Promise<Outcome> => {
      read.push(`${question.ask} ${question.task ?? question.container ?? ''}`);
      return Promise.resolve({ status: 'good', detail: `${'x'.repeat(5_000)}\nlast` });
    };
    const prober = openProber({ clock, image, log, allow: [], answered: () => undefined });
    prober.ask([
      ...asked,
      {
        name: 'c',
        question: { ask: 'check', container: 'c1', everyMs: 3_600_000, timeoutMs: 3_000 },
      },
    ]);
    await clock.advance(60_000);
    expect(read).toEqual(['log t1', 'check c1']);
    const answer = prober.answers().get('l');
    expect(answer?.detail).toHaveLength(4_096);
    expect(answer?.detail.endsWith('x\nlast')).toBe(true);
    prober.close();
  });

  it('that does not come is open after its time, so that nobody waits for it', async () => {
    const clock = new VirtualClock();
    const prober = openProber({ clock, image, log: image, allow: [], answered: () => undefined });
    prober.ask(asked);
    await clock.advance(2_999);
    expect(prober.answers().size).toBe(0);
    await clock.advance(1);
    expect(prober.answers().get('l')).toMatchObject({ status: 'open' });
    prober.close();
  });
});

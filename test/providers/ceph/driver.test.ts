import { describe, expect, it } from 'vitest';
import { Secret } from '../../../agent/core/secret.ts';
import type { Answer } from '../../../agent/providers/ceph/answers.ts';
import { type CephCommand, openCeph } from '../../../agent/providers/ceph/driver.ts';
import type { Ending, Heard, Processes } from '../../../agent/providers/ceph/ports.ts';
import { VirtualClock } from '../../fakes/clock.ts';

/** A process at the port, which says what the test says. */
class Said {
  readonly sent: Record<string, unknown>[] = [];
  killed = false;
  readonly #heard: Heard;

  constructor(heard: Heard) {
    this.#heard = heard;
  }

  write(bytes: Uint8Array): void {
    this.#heard.data(bytes);
  }

  says(...messages: readonly object[]): void {
    this.write(Buffer.from(messages.map((message) => `${JSON.stringify(message)}\n`).join('')));
  }

  answers(id: number, more: object = {}): void {
    this.says({ id, code: 0, out: `out ${id}`, error: '', ...more });
  }

  ends(ending: Ending): void {
    this.#heard.ended(ending);
  }

  get ids(): readonly unknown[] {
    return this.sent.slice(1).map(({ id }) => id);
  }
}

function opened() {
  const clock = new VirtualClock();
  const all: Said[] = [];
  const processes: Processes = {
    start: (_, heard) => {
      const one = new Said(heard);
      all.push(one);
      return {
        send: (text) => {
          one.sent.push(Object(JSON.parse(text)));
        },
        kill: () => {
          one.killed = true;
        },
      };
    },
  };
  const way = { confFile: '/c', keyringFile: '/k', client: 'client.u', python: '/p' };
  const ceph = openCeph(way, { clock, processes });
  /** The process that was started last; it takes commands. */
  const begun = async (): Promise<Said> => {
    await clock.settle();
    const one = all.at(-1);
    if (one === undefined) throw new Error('nothing was started');
    one.says({ fsid: 'f' });
    await clock.settle();
    return one;
  };
  return { clock, all, ceph, begun };
}

const mon: CephCommand = { to: 'mon', words: { prefix: 'status' } };
const mgr: CephCommand = { to: 'mgr', words: { prefix: 'fs volume ls' } };
const never = new AbortController().signal;

const said = (answer: Answer): string =>
  answer.status === 'ok' ? `ok: ${answer.value.reveal()}` : `${answer.status}: ${answer.why}`;

describe('a command', () => {
  it('starts the process, tells it where to go, and is sent once that is there', async () => {
    const { ceph, all, clock, begun } = opened();
    const answer = ceph.call({ ...mon, input: new Secret('text') }, never);
    await clock.settle();
    expect(all.map(({ sent }) => sent)).toEqual([
      [{ conf: '/c', keyring: '/k', client: 'client.u', connectS: 4 }],
    ]);
    const one = await begun();
    expect(one.sent[1]).toEqual({
      id: 1,
      to: 'mon',
      command: { prefix: 'status' },
      input: Buffer.from('text').toString('base64'),
    });
    one.answers(1);
    expect(said(await answer)).toBe('ok: out 1');
  });

  it('gets its own answer, in whatever order and pieces answers come', async () => {
    const { ceph, begun } = opened();
    const answers = Promise.all([1, 2, 3].map(() => ceph.call(mon, never)));
    const one = await begun();
    const text = [3, 1, 2]
      .map((id) => `${JSON.stringify({ id, code: 0, out: `é ${id}`, error: '' })}\n`)
      .join('');
    const bytes = Buffer.from(text);
    // Pieces that also cut a letter of two bytes.
    for (let at = 0; at < bytes.length; at += 3) one.write(bytes.subarray(at, at + 3));
    expect((await answers).map(said)).toEqual(['ok: é 1', 'ok: é 2', 'ok: é 3']);
  });

  it('is not waited for by an answer that nobody asked for', async () => {
    const { ceph, begun } = opened();
    const answer = ceph.call(mon, never);
    const one = await begun();
    one.answers(99);
    one.answers(1);
    expect(said(await answer)).toBe('ok: out 1');
  });

  it.each([
    ['mon', mon, 5_000, 'the monitors of Ceph did not answer within 5 s: they are not'],
    ['mgr', mgr, 8_000, 'the manager daemon of Ceph did not answer within 8 s'],
  ] as const)('of a %s that is late ends the process', async (_, command, ms, why) => {
    const { ceph, begun, clock, all } = opened();
    const answer = ceph.call(command, never);
    const one = await begun();
    await clock.advance(ms - 1);
    expect(one.killed).toBe(false);
    await clock.advance(1);
    expect(one.killed).toBe(true);
    expect(said(await answer)).toContain(`unknown: ${why}`);
    // What it says after that is for nobody, and the next command has another process.
    one.answers(1);
    const next = ceph.call(mon, never);
    const another = await begun();
    another.answers(1);
    expect(said(await next)).toBe('ok: out 1');
    expect(all).toHaveLength(2);
  });

  it('is unknown where another one took the process with it', async () => {
    const { ceph, begun, clock } = opened();
    const late = ceph.call(mgr, never);
    await begun();
    await clock.advance(5_000);
    const beside = ceph.call(mon, never);
    await clock.advance(3_000);
    const why = 'unknown: the manager daemon of Ceph did not answer within 8 s';
    expect([await late, await beside].map(said)).toEqual([why, why]);
  });

  it('is unknown where the process ended, and refused where that had not begun', async () => {
    const { ceph, begun, clock, all } = opened();
    const sent = ceph.call(mon, never);
    (await begun()).ends({ how: 'signal', name: 'SIGSEGV' });
    expect(said(await sent)).toBe('unknown: what speaks to Ceph ended (SIGSEGV)');
    const unsent = ceph.call(mon, never);
    await clock.settle();
    all.at(-1)?.ends({ how: 'exit', code: 1 });
    expect(said(await unsent)).toBe('refused: what speaks to Ceph ended before it began (code 1)');
  });

  it('is refused where the process does not begin in time', async () => {
    const { ceph, clock, all } = opened();
    const answer = ceph.call(mon, never);
    await clock.advance(9_000);
    expect(said(await answer)).toBe('refused: what speaks to Ceph did not begin within 9 s');
    expect(all[0]?.killed).toBe(true);
  });

  it.each(['no JSON', '{}', '{"id":1}', '[]'])(
    'is unknown where the process says `%s`',
    async (line) => {
      const { ceph, begun } = opened();
      const answer = ceph.call(mon, never);
      const one = await begun();
      one.write(Buffer.from(`${line}\n`));
      expect(said(await answer)).toBe('unknown: what speaks to Ceph said what is not understood');
      expect(one.killed).toBe(true);
    },
  );

  it('is sent again while a manager daemon begins, for a second', async () => {
    const { ceph, begun, clock } = opened();
    const answer = ceph.call(mgr, never);
    const one = await begun();
    for (const id of [1, 2]) {
      one.answers(id, { code: 95 });
      await clock.advance(200);
    }
    one.answers(3);
    expect(said(await answer)).toBe('ok: out 3');

    const hopeless = ceph.call(mgr, never);
    await clock.settle();
    for (let id = 4; id <= 10; id += 1) {
      one.answers(id, { code: 95 });
      await clock.advance(200);
    }
    expect(said(await hopeless)).toBe(
      'refused: the manager daemon of Ceph does not take commands yet',
    );
    expect(one.ids.at(-1)).toBe(10);
  });

  it('of a monitor is not sent again', async () => {
    const { ceph, begun } = opened();
    const answer = ceph.call(mon, never);
    (await begun()).answers(1, { code: 95, error: 'no' });
    expect(said(await answer)).toBe('refused: Ceph does not do that (errno 95): no');
  });
});

describe('the guard of a command', () => {
  const guarded = (refusals: readonly (string | undefined)[]) => {
    const asked: number[] = [];
    const refusal = (ms: number) => {
      asked.push(ms);
      return refusals[asked.length - 1];
    };
    return { asked, guard: { refusal } };
  };

  it('is asked once the process takes commands, and not before', async () => {
    const { ceph, begun, clock } = opened();
    const { asked, guard } = guarded(['lost']);
    const answer = ceph.call({ ...mon, guard }, never);
    await clock.advance(3_000);
    expect(asked).toEqual([]);
    const one = await begun();
    expect(await answer).toEqual({ status: 'refused', why: 'lost', retry: 'after-replan', cause: 'held-back' }); // prettier-ignore
    expect(asked).toEqual([5_000]);
    expect(one.ids).toEqual([]);
  });

  it('is asked after the turn came', async () => {
    const { ceph, begun, clock } = opened();
    const slow = Array.from({ length: 8 }, () => ceph.call(mon, never));
    const one = await begun();
    const { asked, guard } = guarded([undefined]);
    const answer = ceph.call({ ...mon, guard }, never);
    await clock.advance(1_000);
    expect(asked).toEqual([]);
    one.answers(1);
    await clock.settle();
    expect(asked).toEqual([5_000]);
    for (let id = 2; id <= 9; id += 1) one.answers(id);
    expect(said(await answer)).toBe('ok: out 9');
    await Promise.all(slow);
  });

  it('is asked again with what is left where a manager daemon begins', async () => {
    const { ceph, begun, clock } = opened();
    const { asked, guard } = guarded([undefined, 'lost']);
    const answer = ceph.call({ ...mgr, guard }, never);
    const one = await begun();
    one.answers(1, { code: 95 });
    await clock.advance(200);
    expect(await answer).toMatchObject({ cause: 'held-back' });
    expect(asked).toEqual([8_000, 7_800]);
    expect(one.ids).toEqual([1]);
  });
});

describe('many commands', () => {
  it('wait for their turn, and the last ones are refused', async () => {
    const { ceph, begun, clock } = opened();
    const answers = Array.from({ length: 8 + 256 + 1 }, () => ceph.call(mon, never));
    const one = await begun();
    expect(one.ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const last = answers.at(-1);
    expect(last && said(await last)).toBe('refused: too many commands wait for Ceph');
    one.answers(2);
    await clock.settle();
    expect(one.ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('are refused unsent where their turn does not come', async () => {
    const { ceph, begun, clock } = opened();
    const slow = Array.from({ length: 8 }, () => ceph.call(mgr, never));
    const one = await begun();
    const waiting = ceph.call(mon, never);
    await clock.advance(5_000);
    expect(said(await waiting)).toBe('refused: Ceph was busy for 5 s');
    for (let id = 1; id <= 8; id += 1) one.answers(id);
    expect((await Promise.all(slow)).every(({ status }) => status === 'ok')).toBe(true);
    expect(one.ids).toHaveLength(8);
  });
});

describe('somebody who stops', () => {
  it('before anything was sent sends nothing', async () => {
    const { ceph, all } = opened();
    await expect(ceph.call(mon, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
    expect(all).toEqual([]);
  });

  it('while the process begins sends nothing', async () => {
    const { ceph, begun, clock } = opened();
    const stop = new AbortController();
    const answer = ceph.call(mon, stop.signal);
    await clock.settle();
    stop.abort();
    expect(said(await answer)).toBe('refused: stopped before it was sent');
    expect((await begun()).ids).toEqual([]);
  });

  it('leaves a command that was sent unknown, which keeps its turn and its deadline', async () => {
    const { ceph, begun, clock } = opened();
    const stop = new AbortController();
    const answer = ceph.call(mon, stop.signal);
    const one = await begun();
    stop.abort();
    expect(said(await answer)).toBe('unknown: stopped before Ceph answered');
    await clock.advance(5_000);
    expect(one.killed).toBe(true);
  });

  it('closes it for good', async () => {
    const { ceph, begun } = opened();
    const answer = ceph.call(mon, never);
    const one = await begun();
    ceph.close();
    expect(one.killed).toBe(true);
    expect(said(await answer)).toBe('unknown: it was closed');
    expect(said(await ceph.call(mon, never))).toBe('refused: the way to Ceph is closed');
  });
});

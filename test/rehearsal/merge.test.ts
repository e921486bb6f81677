import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { merged, placed, type Placed } from '../../agent/rehearsal/merge.ts';

const line = (at: number, text: string): string =>
  JSON.stringify({ time: new Date(at).toISOString(), msg: text });
const texts = (all: readonly Placed[]): readonly string[] =>
  all.map(({ host, line: one }) => `${host} ${one ?? 'ended'}`);

const sorted = (all: readonly { line: string | undefined }[]): readonly string[] =>
  all.map((one) => one.line ?? '').toSorted((a, b) => (a < b ? -1 : 1));

describe('placed', () => {
  it('gives what has no time, and what an agent says after its clock was set back, the time above it', () => {
    const lines = [line(5, 'a'), 'Error: boom', line(3, 'b'), undefined, line(9, 'c')];
    expect(placed('m1', lines, '').map(({ at }) => Date.parse(at))).toEqual([5, 5, 5, 5, 9]);
    expect(placed('m1', ['Error: boom'], 'before')).toMatchObject([{ at: 'before' }]);
  });
});

describe('merged', () => {
  const told = (host: string, ...ats: readonly number[]): readonly Placed[] =>
    placed(
      host,
      ats.map((at) => line(at, String(at))),
      '',
    );

  it.each([
    ['nothing', [], [], [], []],
    ['a first look, which waits for the next one', [], told('m1', 1), [], told('m1', 1)],
    ['what has waited', told('m1', 1), [], told('m1', 1), []],
    [
      'what was written before what has waited',
      told('m1', 2, 5),
      [...told('m2', 3), ...told('m3', 7)],
      [...told('m1', 2), ...told('m2', 3), ...told('m1', 5)],
      told('m3', 7),
    ],
  ])('%s', (_, earlier, later, due, kept) => {
    const result = merged(earlier, later);
    expect([texts(result.due), texts(result.kept)]).toEqual([texts(due), texts(kept)]);
  });

  it('tells everything once, in the order of time, and of one host as it was written', () => {
    // Each line is written at its time to one of three logs; looks happen at any times, and read the logs one by one.
    const anyWrites = fc.array(
      fc.record({ host: fc.constantFrom('m1', 'm2', 'm3'), gap: fc.nat(3) }),
    );
    fc.assert(
      fc.property(anyWrites, fc.array(fc.nat(4)), (writes, gaps) => {
        let now = 0;
        const lines = writes.map(({ host, gap }, n) => {
          now += gap;
          return { host, at: now, line: line(now, `${host}-${String(n)}`) };
        });
        const read = new Map(['m1', 'm2', 'm3'].map((host) => [host, -1]));
        const looks: Placed[][] = [];
        let clock = 0;
        for (const gap of [...gaps, now + 1, now + 2]) {
          const look: Placed[] = [];
          for (const [host, from] of read) {
            clock += gap;
            const news = lines.filter(
              (one) => one.host === host && one.at > from && one.at <= clock,
            );
            look.push(
              ...placed(
                host,
                news.map((one) => one.line),
                '',
              ),
            );
            read.set(host, clock);
          }
          looks.push(look);
        }
        let earlier: readonly Placed[] = [];
        const all: Placed[] = [];
        for (const look of [...looks, [], []]) {
          const { due, kept } = merged(earlier, look);
          all.push(...due);
          earlier = kept;
        }
        expect(earlier).toEqual([]);
        expect(sorted(all)).toEqual(sorted(lines));
        const ats = all.map(({ at }) => at);
        expect(ats).toEqual(ats.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
        for (const host of read.keys()) {
          const own = (list: readonly { host: string; line: string | undefined }[]) =>
            list.filter((one) => one.host === host).map((one) => one.line);
          expect(own(all)).toEqual(own(lines));
        }
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';

import type { CallOutcome, Operation } from '../../agent/core/kind.ts';
import { carryOut } from '../../agent/reconcile/carry-out.ts';
import type { AgentEvent } from '../../agent/reconcile/ports.ts';
import { VirtualClock } from '../fakes/clock.ts';

type Answer = CallOutcome<{ readonly id: string }>;

const fine: Answer = { status: 'ok', value: { id: 'x' } };
const again: Answer = { status: 'unknown', why: 'no answer' };
const never: Answer = { status: 'refused', why: 'no', retry: 'never' };

const operation = (phase: Operation<string>['phase'], call: string): Operation<string> => ({
  target: call,
  verb: 'update',
  phase,
  effect: 'restart',
  fields: [],
  call,
});

/** Carries out one unit's operations on an engine that answers `ok` but where it is told; gives what it was asked. */
async function calledOf(
  operations: readonly Operation<string>[],
  answers: Readonly<Record<string, Answer>> = {},
  told: string[] = [],
) {
  const called: string[] = [];
  const call = async (name: string): Promise<Answer> => {
    called.push(name);
    return answers[name] ?? fine;
  };
  const ports = {
    caller: () => ({ call }),
    clock: new VirtualClock(),
    reporter: { tell: ({ event }: AgentEvent) => void told.push(event) },
    guard: { refusal: () => undefined },
    atOnce: 4,
  };
  const work = [{ id: 'stack/blog', operations }] as const;
  const [result] = await carryOut(work, ports, new AbortController().signal);
  return { called, outcome: result?.outcome };
}

describe('the calls of one unit', () => {
  // As no difference gives them: it is not their order that counts.
  const three = [
    operation('change', 'change'),
    operation('remove', 'remove'),
    operation('add', 'add'),
  ];

  it('make first, then change, then remove', async () => {
    const { called, outcome } = await calledOf(three);
    expect([called, outcome]).toEqual([['add', 'change', 'remove'], { status: 'ok' }]);
  });

  it.each([
    ['what is to be made', 'add', ['add']],
    ['what is to be changed', 'change', ['add', 'change']],
  ])('end with their phase where %s is not certain', async (_what, name, expected) => {
    const { called, outcome } = await calledOf(three, { [name]: again });
    expect(called).toEqual(expected);
    expect(outcome).toEqual({ status: 'again', target: name, why: 'no answer', refused: false });
  });

  it('go on with the neighbours of the same phase, and then end', async () => {
    const { called, outcome } = await calledOf([...three, operation('add', 'more')], {
      add: again,
    });
    expect(called).toEqual(['add', 'more']);
    expect(outcome).toMatchObject({ status: 'again', target: 'add' });
  });

  it('end with their phase where a content turns out to be another one, which is told and is no failure', async () => {
    const told: string[] = [];
    const proof = { ...operation('add', 'add'), proves: true } as const;
    const other: Answer = { ...never, retry: 'after-replan', cause: 'other-content' };
    const { called, outcome } = await calledOf(
      [proof, operation('add', 'more'), operation('change', 'change')],
      { add: other },
      told,
    );
    expect(called).toEqual(['add', 'more']);
    expect(outcome).toEqual({ status: 'again', target: 'add', why: 'no', refused: false });
    expect(told).toEqual(['content differs', 'change applied']);
  });

  it('end at once where one is refused for good', async () => {
    const { called, outcome } = await calledOf([...three, operation('add', 'more')], {
      add: never,
    });
    expect(called).toEqual(['add']);
    expect(outcome).toEqual({ status: 'refused', target: 'add', why: 'no' });
  });
});

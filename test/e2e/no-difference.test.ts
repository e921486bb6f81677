import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createPrinter } from '../../agent/cli/printer.ts';
import { systemClock } from '../../agent/clock.ts';
import type { FieldDiff, Operation } from '../../agent/core/kind.ts';
import { asObserved } from '../../agent/providers/stack/as-observed.ts';
import { openSwarm } from '../../agent/providers/stack/client.ts';
import { diffStack } from '../../agent/providers/stack/diff.ts';
import type { StackCall } from '../../agent/providers/stack/swarm.ts';
import { lowerStage, raiseStage } from '../../agent/rehearsal/stage.ts';
import { digestKey } from '../fakes/stack.ts';
import { pairs, STACKS } from '../providers/stack/every-key/file.ts';
import { apply, differences, makeOutside, observed, wanted } from './kept.ts';
import '../seed.ts';

// One manager, drained: nothing starts, what counts is what the engine keeps. `npm run test:engines` takes newer ones, too.
const stage = { name: 'usv', subnet: '10.213.96.0/24', managers: 1, workers: 0 };
const engines = (process.env['UNDERSTUDY_ENGINES'] ?? 'own').split(' ');
const never = new AbortController().signal;
const said: string[] = [];
const say = (text: string) => void said.push(text);
const print = createPrinter({ out: say, err: say, colour: false }, () => performance.now());

describe.each(engines)('whatever Compose files say, on the engine of: %s', (engine) => {
  const options = engine === 'own' ? stage : { ...stage, engine };
  const all = pairs(STACKS);
  let swarm: ReturnType<typeof openSwarm> | undefined;
  const opened = () => {
    if (swarm === undefined) throw new Error('the stage does not stand');
    return swarm;
  };

  beforeAll(async () => {
    const raised = await raiseStage(options, print, never).catch((error: unknown) => {
      throw new Error(`the stage does not stand:\n${said.join('\n')}`, { cause: error });
    });
    const node = (await raised.docker(['node', 'ls', '--quiet'], never)).trim();
    await raised.docker(['node', 'update', '--availability', 'drain', node], never);
    swarm = openSwarm({ socket: raised.hosts[0]?.socket ?? '' }, systemClock);
    await makeOutside(swarm);
  });
  afterAll(async () => {
    swarm?.close();
    await lowerStage(options, print);
  });

  it('what it keeps of them differs in nothing, and so there is nothing to send again', async () => {
    const { refused, called } = await apply(opened(), all, 'before');
    expect(refused).toEqual([]);
    expect(called).toBeGreaterThan(STACKS);
    expect(differences(all, 'before', await observed(opened()))).toEqual([]);
    expect(await apply(opened(), all, 'before')).toEqual({ refused: [], called: 0 });
  });

  it('a change of one key differs as the files do, and after it nothing does', async () => {
    const now = await observed(opened());
    for (const pair of all) {
      const files = asObserved([wanted(pair, 'before')], digestKey);
      const fromEngine = diffStack(wanted(pair, 'after'), now).operations;
      const fromFiles = diffStack(wanted(pair, 'after'), files).operations;
      expect([pair.stack, shown(fromEngine)]).toEqual([pair.stack, shown(fromFiles)]);
    }
    const { refused, called } = await apply(opened(), all, 'after');
    expect(refused).toEqual([]);
    expect(called).toBeGreaterThan(STACKS / 2);
    expect(differences(all, 'after', await observed(opened()))).toEqual([]);
  });
});

/**
 * What is told of operations, but for the order of keys, and for the ids that stand for predefined networks: which of the
 * fields comes first is up to such an id, too.
 */
function shown(operations: readonly Operation<StackCall>[]): unknown {
  return operations.map(({ verb, target, effect, fields }) => [
    verb,
    target,
    effect,
    fields.map(shownField).toSorted(([one = ''], [other = '']) => (one < other ? -1 : 1)),
  ]);
}

function shownField({ path, observed: before, desired: after }: FieldDiff): readonly string[] {
  const at = path.replace(/(?<=\.Networks\.)(host|bridge|[a-z0-9]{25})$/, 'predefined');
  return at === path ? [path, inOrder(before), inOrder(after)] : [at];
}

function inOrder(text = ''): string {
  return text.startsWith('{') ? text.split('').toSorted().join('') : text;
}

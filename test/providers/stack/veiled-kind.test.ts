import { describe, expect, it } from 'vitest';

import {
  plannedStacks,
  stackKind,
  stackProvider,
} from '../../../agent/providers/stack/provider.ts';
import { restoreStack } from '../../../agent/providers/stack/release.ts';
import type { StackCall, Swarm } from '../../../agent/providers/stack/swarm.ts';
import { headFormat } from '../../../agent/record/head.ts';
import { live, observed, seen, service, task, unit } from '../../fakes/stack.ts';

const { signal } = new AbortController();
const base = service('web');
const web = {
  ...base,
  TaskTemplate: {
    ...base.TaskTemplate,
    ContainerSpec: { ...base.TaskTemplate.ContainerSpec, Image: 'registry.example/hunter2:1' },
  },
};
const veiled = unit({ services: { web }, veiled: true });
const plain = unit({ services: { web } });
const crash = { state: 'failed', error: 'task: hunter2 not found', exitCode: 3 };
const crashed = observed({
  services: [live(web)],
  tasks: ['x', 'y', 'z'].map((id) => task(id, { desiredState: 'shutdown', ...crash })),
});

/** A Swarm that refuses every call with words of its own. */
function provider(sent: StackCall[]) {
  const nothing = async () => ({ status: 'unknown', why: 'nobody asks' }) as const;
  const port: Swarm = {
    observe: async () => ({ status: 'ok', value: observed().state }),
    identity: nothing,
    containerRuns: nothing,
    image: nothing,
    hasImage: nothing,
    taskLog: nothing,
    lastCheck: nothing,
    configNamed: nothing,
    call: async (call) => {
      sent.push(call);
      return { status: 'refused', why: 'bad value hunter2', retry: 'never' };
    },
  };
  return stackProvider(
    port,
    headFormat((bytes) => new Uint8Array(bytes)),
  );
}

describe('a veiled stack, as its kind has it,', () => {
  it('fails without a word of what was seen', () => {
    const health = stackKind.health(plain, crashed, seen());
    expect(JSON.stringify(health)).toContain('hunter2');
    const hidden = stackKind.health(veiled, crashed, seen());
    expect(hidden).toMatchObject({ status: 'failing' });
    expect(JSON.stringify(hidden)).not.toContain('hunter2');
    expect(JSON.stringify(plannedStacks.health(veiled, crashed, seen()))).not.toContain('hunter2');
  });

  it('says neither of its images where they are asked for', () => {
    const empty = observed();
    const first = (of: typeof veiled) => {
      const { operations } = stackKind.diff(of, empty);
      const asked = stackKind.first?.(of, empty, { operations, answers: new Map() });
      return asked?.status === 'asking' ? asked.why : undefined;
    };
    expect(first(plain)).toContain('hunter2');
    expect(first(veiled)).toBe('the registry is asked for its images');
  });

  it('does not repeat what the engine says to a call', async () => {
    const sent: StackCall[] = [];
    const empty = observed();
    const caller = provider(sent).caller(empty);
    const [{ call } = { call: undefined }] = stackKind.diff(veiled, empty).operations;
    if (call === undefined) throw new Error('nothing to call');
    const outcome = await caller.call(call, signal);
    expect(outcome).toMatchObject({ status: 'refused', retry: 'never' });
    expect(JSON.stringify(outcome)).not.toContain('hunter2');
    expect(sent).toHaveLength(1);
  });

  it('stays so in a release', () => {
    const content = stackKind.release(veiled, crashed, 'wanted');
    const release = { digest: 'd', revision: 'r', at: '', content };
    expect(restoreStack('stack/blog', release)?.spec.veiled).toBe(true);
    const other = stackKind.release(plain, crashed, 'wanted');
    expect(restoreStack('stack/blog', { ...release, content: other })?.spec.veiled).toBeUndefined();
  });
});

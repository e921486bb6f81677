import { describe, expect, it } from 'vitest';

import { fieldOnly } from '../../../agent/providers/stack/compose-paths.ts';
import {
  veiledDifference,
  veiledFields,
  veiledFirst,
  veiledHealth,
  veiledNotes,
  veiledOutcome,
} from '../../../agent/providers/stack/veil.ts';

const veiled = { veiled: true } as const;
const failing = {
  status: 'failing',
  code: 'crashed',
  why: 'web runs hunter2',
  evidence: 'hunter2: not found',
  summary: 'web 1/2, db 0/1; web: hunter2 1/1',
} as const;

describe('a stack of which no value is shown', () => {
  it('shows which fields differ', () => {
    const spec = 'services.web.TaskTemplate.ContainerSpec';
    const fields = [
      { path: `${spec}.Image`, observed: 'a', desired: 'hunter2' },
      { path: `${spec}.Mounts./hunter2`, desired: '{}' },
      { path: `${spec}.Mounts./b`, observed: '{}' },
      { path: `${spec}.Env.A`, desired: 'hunter2' },
    ];
    expect(veiledFields(veiled, fields)).toEqual([
      { path: `${spec}.Image`, observed: '[secret]', desired: '[secret]' },
      { path: `${spec}.Mounts`, observed: '[secret]', desired: '[secret]' },
      { path: `${spec}.Env.A`, desired: '[secret]' },
    ]);
    expect(veiledFields({}, fields)).toBe(fields);
  });

  it.each`
    path                                              | only
    ${'services.web.TaskTemplate.Placement.X.hunter'} | ${'services.web.TaskTemplate.Placement'}
    ${'services.web.Labels.hunter'}                   | ${'services.web.Labels'}
    ${'services.web.Strange.hunter'}                  | ${'services.web'}
    ${'config blog_page.Labels.hunter'}               | ${'config blog_page.Labels'}
    ${'stack.health.checks'}                          | ${'stack.health'}
    ${'what nobody thought of'}                       | ${''}
  `('cuts $path to $only', ({ path, only }) => {
    expect(fieldOnly(String(path))).toBe(only);
  });

  it('says neither why it fails nor what was seen, but how', () => {
    expect(veiledHealth(veiled, failing)).toMatchObject({
      status: 'failing',
      code: 'crashed',
      summary: 'web 1/2, db 0/1',
    });
    expect(JSON.stringify(veiledHealth(veiled, failing))).not.toContain('hunter2');
    const outside = { status: 'outside', why: 'hunter2', summary: 'hunter2' } as const;
    expect(JSON.stringify(veiledHealth(veiled, outside))).not.toContain('hunter2');
    expect(veiledHealth({}, failing)).toBe(failing);
    const late = { evidence: 'hunter2', asks: [], reading: true } as const;
    const slow = { status: 'progressing', progress: 3, summary: 'web 0/1', late } as const;
    const shown = veiledHealth(veiled, slow);
    expect(shown).toMatchObject({ ...slow, late: { asks: [], reading: true } });
    expect(JSON.stringify(shown)).not.toContain('hunter2');
    const well = { status: 'converged', members: 'x', summary: 'web 1/1' } as const;
    expect(veiledHealth(veiled, well)).toEqual(well);
    expect(veiledHealth(veiled, { ...well, late })).toMatchObject({ ...well, late: { asks: [] } });
  });

  it('names no image that is asked for', () => {
    const asks = [{ name: 'a', question: { ask: 'image', image: 'hunter2', everyMs: 1 } }] as const;
    const asking = { status: 'asking', why: 'hunter2', asks } as const;
    expect(veiledFirst(veiled, asking)).toMatchObject({
      asks,
      why: 'the registry is asked for its images',
    });
    const missing = { status: 'failing', failure: failing } as const;
    expect(JSON.stringify(veiledFirst(veiled, missing))).not.toContain('hunter2');
    expect(veiledFirst({}, missing)).toBe(missing);
  });

  it('does not repeat the engine, and knows what it meant', () => {
    const refused = { status: 'refused', why: 'bad hunter2', retry: 'never' } as const;
    expect(veiledOutcome(veiled, refused)).toMatchObject({ status: 'refused', retry: 'never' });
    expect(JSON.stringify(veiledOutcome(veiled, refused))).not.toContain('hunter2');
    expect(veiledOutcome({}, refused)).toBe(refused);
  });

  it('marks its calls, and says of what is blocked what it is', () => {
    const call = { op: 'config-remove', id: 'i', name: 'n' } as const;
    const base = { target: 'config n', verb: 'remove', phase: 'remove', effect: 'none' } as const;
    const blocked = [
      { target: 'network blog_back', why: '`driver` is `hunter2`', waits: false },
      { target: 'network:proxy', why: 'network proxy is not in this Swarm', waits: true },
    ];
    const difference = { operations: [{ ...base, fields: [], call }], blocked };
    const shown = veiledDifference(veiled, difference);
    expect(shown.operations[0]?.call).toEqual({ ...call, veiled: true });
    expect(shown.blocked[0]?.why).toMatch(/^network blog_back: /);
    expect(shown.blocked[1]).toEqual(blocked[1]);
    expect(JSON.stringify(shown)).not.toContain('hunter2');
    expect(veiledNotes(veiled, ['hunter2'])).not.toContain('hunter2');
    expect(veiledNotes(veiled, [])).toEqual([]);
  });
});

import { expect, it } from 'vitest';

import { foughtOver } from '../../agent/core/fight.ts';
import type { FieldDiff, Operation } from '../../agent/core/kind.ts';

function update(fields: readonly FieldDiff[]): Operation<string> {
  const what = { target: 'service blog_web', verb: 'update', phase: 'change' } as const;
  return { ...what, effect: 'restart', fields, call: '' };
}

/** After these corrections, in milliseconds. */
function fought(
  correctedAtMs: readonly number[],
  operation: Operation<string>,
  { nowMs = 2_000, approved = [] }: { nowMs?: number; approved?: readonly string[] } = {},
) {
  return foughtOver({ nowMs, approvals: new Set(approved) }, 'stack/blog', correctedAtMs, [
    operation,
  ]);
}

const inPlaces = (...paths: readonly string[]) => paths.map((path) => ({ path, observed: 'x' }));
const LAST = [0, 1_000];

it('a fight names labels first, because they tell best who it is, and never what they say', () => {
  const fields = [
    ...inPlaces('a.1', 'a.2', 'a.3', 'a.4', 'a.5', 'a.6'),
    { path: 'services.web.Labels.updated.by', observed: 'watchtower' },
    { path: 'services.web.TaskTemplate.ContainerSpec.Labels.gone', desired: 'here' },
  ];
  const { held, approval = '' } = fought(LAST, update(fields)) ?? {};
  expect(held).toBe(
    'fought over: somebody changes services.web.Labels.updated.by, ' +
      'services.web.TaskTemplate.ContainerSpec.Labels.gone, a.1, a.2, a.3 again and again; ' +
      'it is changed back in ten minutes, by another commit, or now: ' +
      `approve with \`understudy approve ${approval.slice(0, 12)}\``,
  );
});

it('a fight names the object where somebody removes all of it', () => {
  expect(fought(LAST, update([]))?.held).toContain('changes service blog_web again');
});

it('two corrections in ten minutes are no fight yet', () => {
  expect(fought([0], update([]), { nowMs: 1_000 })).toBeUndefined();
  expect(fought(LAST, update([]), { nowMs: 600_500 })).toBeUndefined();
});

it('a fight is released by the digest of what would be corrected, whatever somebody makes of it meanwhile', () => {
  const at = (observed: string) => update([{ path: 'a.1', observed, desired: 'ours' }]);
  const { approval = '' } = fought(LAST, at('one')) ?? {};
  expect(fought(LAST, at('two'), { approved: [approval] })).toEqual({ approval });
  const other = update([{ path: 'a.1', observed: 'one', desired: 'another commit' }]);
  expect(fought(LAST, other, { approved: [approval] })?.held).toBeDefined();
});

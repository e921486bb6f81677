import { expect, it } from 'vitest';

import { foughtOver } from '../../agent/core/fight.ts';
import type { FieldDiff, Operation } from '../../agent/core/kind.ts';

function update(fields: readonly FieldDiff[]): Operation<string> {
  return {
    target: 'service blog_web',
    verb: 'update',
    phase: 'change',
    effect: 'restart',
    fields,
    call: '',
  };
}

const inPlaces = (...paths: readonly string[]) => paths.map((path) => ({ path, observed: 'x' }));
const LAST = [0, 1_000];

it('a fight names labels first, because they tell best who it is, and never what they say', () => {
  const fields = [
    ...inPlaces('a.1', 'a.2', 'a.3', 'a.4', 'a.5', 'a.6'),
    { path: 'services.web.Labels.updated.by', observed: 'watchtower' },
    { path: 'services.web.TaskTemplate.ContainerSpec.Labels.gone', desired: 'here' },
  ];
  expect(foughtOver(LAST, [update(fields)], 2_000)).toBe(
    'fought over: somebody changes services.web.Labels.updated.by, ' +
      'services.web.TaskTemplate.ContainerSpec.Labels.gone, a.1, a.2, a.3 again and again; ' +
      'it is changed back in ten minutes, or by another commit',
  );
});

it('a fight names the object where somebody removes all of it', () => {
  expect(foughtOver(LAST, [update([])], 2_000)).toContain('changes service blog_web again');
});

it('two corrections in ten minutes are no fight yet', () => {
  expect(foughtOver([0], [update([])], 1_000)).toBeUndefined();
  expect(foughtOver(LAST, [update([])], 600_500)).toBeUndefined();
});

import { describe, expect, it } from 'vitest';
import { identityOf, placesIn } from '../../agent/rehearsal/identity.ts';
import { planStage, type StageOptions } from '../../agent/rehearsal/plan.ts';

const shapes: readonly StageOptions[] = [
  {},
  { managers: 1, workers: 0 },
  { mysql: 'single' },
  { mysql: 'group' },
  { mysql: 'group', router: true },
  { mysql: 'galera', ceph: true },
  { workers: 3, mysql: 'group', router: true, ceph: true },
];

describe('a stage that stands', () => {
  it.each(shapes)('is found again by who does not say what it has: %j', (options) => {
    const text = identityOf(planStage(options));
    expect(identityOf(planStage(placesIn(text)))).toBe(text);
  });

  it('is another one than all others', () => {
    const texts = shapes.map((options) => identityOf(planStage(options)));
    expect(new Set(texts).size).toBe(shapes.length);
  });

  it.each(['', 'nonsense', '[]', '{"router":"yes"}'])('has nothing in `%s`', (text) =>
    expect(placesIn(text)).toEqual({}),
  );
});

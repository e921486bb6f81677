import { describe, expect, it } from 'vitest';

import type { Rendered } from '../../agent/core/kind.ts';
import { comparePlan, type PlanWords } from '../../agent/core/plan.ts';
import { unitCalled, type Worlds, type WorldsCall, worldsKind } from '../fakes/many-units.ts';
import { running, type UnitSpec } from '../fakes/unit-world.ts';

type Unit = Rendered<UnitSpec>;

const blog = unitCalled('blog', 'good 1');
const weblog = unitCalled('weblog', 'good 1');
const moved: Unit = { ...weblog, movedFrom: blog.id };
const other = unitCalled('other', 'good 1');

const words: PlanWords<UnitSpec, WorldsCall> = {
  beside: () => [],
  operation: ({ target, verb, effect, fields }) => ({ target, verb, effect, fields }),
};

/** What becomes of each unit, and its notes, where the earlier ones run. */
function notesOf(before: readonly Unit[], after: readonly Unit[]) {
  const observed: Worlds = Object.fromEntries(
    before.map(({ id }) => [id, running({ web: 'good 1' })]),
  );
  const { units } = comparePlan(worldsKind, words, { environment: 'e', before, after, observed });
  return Object.fromEntries(units.map(({ id, change, notes }) => [id, [change, ...notes]]));
}

describe('the plan between two revisions, of a stack that takes the place of another one', () => {
  const takes = 'it takes the place of stack/blog, which is stopped first';
  const makes = (to: string): string =>
    `it is stopped first, so that ${to} takes its place; it is removed once that is healthy, and runs again if that fails`;

  it('says of both what becomes of them', () => {
    expect(notesOf([blog, other], [moved, other])).toEqual({
      'stack/weblog': ['add', takes],
      'stack/blog': ['remove', makes('stack/weblog')],
    });
  });

  it('says so too where the later revision goes back to what was there before', () => {
    expect(notesOf([moved], [blog])).toMatchObject({
      'stack/blog': ['add', 'it takes the place of stack/weblog, which is stopped first'],
      'stack/weblog': ['remove', makes('stack/blog')],
    });
  });

  it('says nothing once it is done, or where nothing of the kind is wanted', () => {
    expect(notesOf([moved], [moved])).toEqual({});
    expect(notesOf([blog], [weblog])).toMatchObject({ 'stack/blog': ['remove'] });
  });
});

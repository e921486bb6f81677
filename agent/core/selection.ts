import type { z } from 'zod';

import { StackChoice } from '../../schemas/environment.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Read } from './document.ts';
import { globFits } from './glob.ts';
import { suggest } from './suggest.ts';

/** Which stacks of the repository one environment has. */
export interface Selection {
  readonly environment: string;
  readonly stacks: ReadonlySet<string>;
  /** The others: they are no part of this environment, as if their folders were not there. */
  readonly leftOut: ReadonlySet<string>;
  readonly diagnostics: readonly Diagnostic[];
}

/** What `stacks` of an Environment says: patterns of names of stacks, and of ids of documents. */
export interface Patterns {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** Pure. Everything where `stacks` is absent or cannot be read. */
export function patternsOf({ located }: Read<unknown>): Patterns {
  const { include = ['*'], exclude = [] } = choiceOf(located?.value) ?? {};
  return { include, exclude };
}

/** Units that are no stacks, of which patterns speak as well: all of the repository, and how many are chosen. */
export interface Others {
  readonly ids: readonly string[];
  readonly chosen: number;
}

/** Pure. All stacks where `stacks` cannot be read: then the environment has a mistake that says so. */
export function selectStacks(
  environment: string,
  names: readonly string[],
  document: Read<unknown>,
  others: Others = { ids: [], chosen: 0 },
): Selection {
  const { located } = document;
  const choice = choiceOf(located?.value);
  const { include, exclude } = patternsOf(document);
  const all = [...names, ...others.ids];
  const stacks = names.filter((name) => fitsAny(include, name) && !fitsAny(exclude, name));
  const chosen = new Set(stacks);
  const rest = {
    environment,
    stacks: chosen,
    leftOut: new Set(names.filter((name) => !chosen.has(name))),
  };
  if (located === undefined || choice === undefined || all.length === 0) {
    return { ...rest, diagnostics: [] };
  }
  const place = (path: readonly (string | number)[]) => located.place(['stacks', ...path]);
  const useless = (['include', 'exclude'] as const).flatMap((key) =>
    (choice[key] ?? []).flatMap((pattern, index): readonly Diagnostic[] =>
      all.some((name) => globFits(pattern, name))
        ? []
        : [{ ...unmatched(pattern, all), place: place([key, index]) }],
    ),
  );
  return {
    ...rest,
    diagnostics:
      chosen.size + others.chosen > 0 ? useless : [...useless, none(environment, place([]))],
  };
}

/** Pure. Whether one of the patterns fits. */
export function fitsAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => globFits(pattern, name));
}

function choiceOf(value: unknown): z.output<typeof StackChoice> | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'stacks'))
    return undefined;
  return StackChoice.safeParse(new Map(Object.entries(value)).get('stacks')).data;
}

/** No error: a stack may come later, or be gone everywhere else already. */
function unmatched(pattern: string, names: readonly string[]): Diagnostic {
  const meant = suggest(pattern, names);
  return {
    severity: 'warning',
    code: 'unmatched-pattern',
    message: `no ${pattern.includes('/') ? 'unit' : 'stack'} of the repository is called \`${pattern}\``,
    ...(meant !== undefined && { hint: `did you mean \`${meant}\`?` }),
  };
}

/** What wants nothing at all would remove everything. */
function none(environment: string, place: Diagnostic['place']): Diagnostic {
  return {
    severity: 'error',
    code: 'missing-document',
    message: `the environment \`${environment}\` has no stack: its \`stacks\` leave all of them out`,
    ...(place && { place }),
    hint: 'include at least one',
  };
}

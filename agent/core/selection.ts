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

/** Pure. All stacks where `stacks` cannot be read: then the environment has a mistake that says so. */
export function selectStacks(
  environment: string,
  names: readonly string[],
  { located }: Read<unknown>,
): Selection {
  const choice = choiceOf(located?.value);
  const { include = ['*'], exclude = [] } = choice ?? {};
  const stacks = names.filter((name) => fitsAny(include, name) && !fitsAny(exclude, name));
  const chosen = new Set(stacks);
  const rest = {
    environment,
    stacks: chosen,
    leftOut: new Set(names.filter((name) => !chosen.has(name))),
  };
  if (located === undefined || choice === undefined || names.length === 0) {
    return { ...rest, diagnostics: [] };
  }
  const place = (path: readonly (string | number)[]) => located.place(['stacks', ...path]);
  const useless = (['include', 'exclude'] as const).flatMap((key) =>
    (choice[key] ?? []).flatMap((pattern, index): readonly Diagnostic[] =>
      names.some((name) => globFits(pattern, name))
        ? []
        : [{ ...unmatched(pattern, names), place: place([key, index]) }],
    ),
  );
  return {
    ...rest,
    diagnostics: chosen.size > 0 ? useless : [...useless, none(environment, place([]))],
  };
}

function fitsAny(patterns: readonly string[], name: string): boolean {
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
    message: `no stack of the repository is called \`${pattern}\``,
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

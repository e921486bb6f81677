import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { ComposeResult } from '../../../../agent/providers/stack/compose/render.ts';
import { diffStack } from '../../../../agent/providers/stack/diff.ts';
import { contentDigest, DIGEST_LABEL } from '../../../../agent/providers/stack/names.ts';
import { blogNetwork, digestKey, observed, unit } from '../../../fakes/stack.ts';
import { expectedStored, readCases, readGiven } from '../../../parity/folder.ts';
import { judgeCase } from '../../../parity/offline.ts';
import { convert } from '../../../parity/ours.ts';
import { readLists } from '../../../parity/stored.ts';

/** Stack files of the real world with what the Docker CLI made of them; not part of the project. */
const corpus = join(import.meta.dirname, '../../../../../shared/corpus');
const isThere = existsSync(join(corpus, 'manifest.tsv'));
const cases = isThere ? readCases(corpus) : [];
const accepted = cases.filter((one) => one.accepted);

/** A stack against what an engine has that its requests were sent to. */
function differenceFrom(
  name: string,
  result: ComposeResult,
  stored: ReturnType<typeof expectedStored>,
) {
  const { services, networks, configs, secrets } = readLists(stored);
  const outside = result.needs.map((need) => /^network:(.*)/.exec(need)?.[1] ?? '').filter(Boolean);
  const wanted = { ...unit({ name, ...result }), id: `stack/${name}` as const };
  return diffStack(
    wanted,
    observed({
      services,
      networks: [
        ...networks,
        ...outside.map((one) => ({ ...blogNetwork, id: `net-${one}`, name: one })),
      ],
      configs,
      // The CLI leaves no digest: whether it is our content cannot be known.
      secrets: secrets.map((secret) => ({
        ...secret,
        labels: { ...secret.labels, ...digestLabel(result, secret.name) },
      })),
    }),
  );
}

function digestLabel(result: ComposeResult, name: string): Record<string, string> {
  const own = Object.values(result.secrets).find((secret) => secret.name === name);
  if (own?.data === undefined) return {};
  return { [DIGEST_LABEL]: contentDigest(own.data.reveal(), digestKey, own.templating) };
}

describe.skipIf(!isThere)(
  `real stack files and the CLI${isThere ? '' : ' (the files are not on this machine)'}`,
  () => {
    it.each(cases.map((one) => [one.id, one] as const))('%s: equal', (_, one) => {
      expect(judgeCase(corpus, one)).toEqual({ kind: 'equal', lines: [] });
    });

    it.each(accepted.map((one) => [one.id, one] as const))(
      '%s: what the engine stored of it differs in nothing',
      (_, one) => {
        const { result } = convert(readGiven(corpus, one));
        if (result === undefined) throw new Error('no result');
        expect(differenceFrom(`s${one.id}`, result, expectedStored(corpus, one.id))).toEqual({
          operations: [],
          blocked: [],
        });
      },
    );
  },
);

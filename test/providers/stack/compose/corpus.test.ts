import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { ComposeResult } from '../../../../agent/providers/stack/compose/render.ts';
import { diffStack } from '../../../../agent/providers/stack/diff.ts';
import { contentDigest, DIGEST_LABEL } from '../../../../agent/providers/stack/names.ts';
import {
  readConfigs,
  readNetworks,
  readSecrets,
  readServices,
} from '../../../../agent/providers/stack/shapes.ts';
import { blogNetwork, digestKey, observed, unit } from '../../../fakes/stack.ts';
import { expectedStored, readCases, readGiven } from '../../../parity/folder.ts';
import { judgeCase } from '../../../parity/offline.ts';
import { convert } from '../../../parity/ours.ts';

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
  const rows = (items: readonly object[]) =>
    items.map((Spec, index) => ({ ID: `id${String(index)}`, Version: { Index: 1 }, Spec }));
  const services = readServices(rows(stored.services));
  const networks = readNetworks(stored.networks);
  const configs = readConfigs(rows(stored.configs));
  const secrets = readSecrets(rows(stored.secrets));
  if (!services.ok || !networks.ok || !configs.ok || !secrets.ok) throw new Error('unreadable');
  const outside = result.needs.map((need) => /^network:(.*)/.exec(need)?.[1] ?? '').filter(Boolean);
  const wanted = { ...unit({ name, ...result }), id: `stack/${name}` as const };
  return diffStack(
    wanted,
    observed({
      services: services.value,
      networks: [
        ...networks.value,
        ...outside.map((one) => ({ ...blogNetwork, id: `net-${one}`, name: one })),
      ],
      configs: configs.value,
      // The CLI leaves no digest: whether it is our content cannot be known.
      secrets: secrets.value.map((secret) => ({
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

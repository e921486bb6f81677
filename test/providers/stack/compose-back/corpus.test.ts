import { describe, expect, it } from 'vitest';

import type { StackObserved } from '../../../../agent/providers/stack/observed.ts';
import {
  readConfigs,
  readNetworks,
  readSecrets,
  readServices,
} from '../../../../agent/providers/stack/shapes.ts';
import { blogNetwork, observed } from '../../../fakes/stack.ts';
import { expectedStored, isThere, readCases, renderCase } from '../compose/corpus.ts';
import { adopted } from './support.ts';

/** What an engine has that the CLI sent a stack to. */
function swarmOf(id: string, needs: readonly string[]): StackObserved {
  const stored = JSON.parse(JSON.stringify(expectedStored(id)).replaceAll('"@DIR@/', '"/srv/'));
  const rows = (items: readonly object[]) =>
    items.map((Spec, index) => ({ ID: `id${String(index)}`, Version: { Index: 1 }, Spec }));
  const services = readServices(rows(stored.services));
  const networks = readNetworks(stored.networks);
  const configs = readConfigs(rows(stored.configs));
  const secrets = readSecrets(rows(stored.secrets));
  if (!services.ok || !networks.ok || !configs.ok || !secrets.ok) throw new Error('unreadable');
  const outside = (noun: string) =>
    needs.flatMap((need) => (need.startsWith(`${noun}:`) ? [need.slice(noun.length + 1)] : []));
  const file = { version: 1, labels: {}, data: 'eA==' };
  return observed({
    services: services.value,
    networks: [
      ...networks.value,
      ...outside('network').map((name) => ({
        ...blogNetwork,
        labels: {},
        id: `net-${name}`,
        name,
      })),
    ],
    configs: [...configs.value, ...outside('config').map((name) => ({ ...file, id: name, name }))],
    secrets: [...secrets.value, ...outside('secret').map((name) => ({ ...file, id: name, name }))],
  });
}

const nothing = { mistakes: [], changes: [], blocked: [], notes: [] };
const cases = readCases().filter((one) => one.accepted && renderCase(one).result !== undefined);

describe.skipIf(!isThere)('what the CLI deployed of real stack files', () => {
  it.each(cases.map((one) => [one.id, one] as const))(
    '%s is written back, and plans to nothing',
    (id, one) => {
      const { compose, mistakes, changes, blocked, notes } = adopted(
        `s${id}`,
        swarmOf(id, renderCase(one).result?.needs ?? []),
      );
      expect({ mistakes, changes, blocked, notes }, compose).toEqual(nothing);
    },
  );
});

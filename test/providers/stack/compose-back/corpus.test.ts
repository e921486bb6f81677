import { describe, expect, it } from 'vitest';

import type { StackObserved } from '../../../../agent/providers/stack/observed.ts';
import {
  readConfigs,
  readNetworks,
  readSecrets,
  readServices,
} from '../../../../agent/providers/stack/shapes.ts';
import { blogNetwork, observed } from '../../../fakes/stack.ts';
import { expectedStored, isThere, readCases } from '../compose/corpus.ts';
import { adopted } from './support.ts';

/** What an engine has that the CLI sent a stack to; what it names and did not make was there before. */
function swarmOf(id: string): StackObserved {
  // The folder of the file, wherever that was.
  const stored = JSON.parse(JSON.stringify(expectedStored(id)).replaceAll('"@DIR@', '"/srv'));
  const rows = (items: readonly object[]) =>
    items.map((Spec, index) => ({ ID: `id${String(index)}`, Version: { Index: 1 }, Spec }));
  const services = readServices(rows(stored.services));
  const networks = readNetworks(stored.networks);
  const configs = readConfigs(rows(stored.configs));
  const secrets = readSecrets(rows(stored.secrets));
  if (!services.ok || !networks.ok || !configs.ok || !secrets.ok) throw new Error('unreadable');
  const tasks = services.value.map(({ spec }) => spec.TaskTemplate);
  const outside = (there: readonly { name: string }[], used: readonly string[]) => {
    const names = new Set(there.map(({ name }) => name));
    return [...new Set(used)].filter((name) => !names.has(name));
  };
  const targets = tasks.flatMap(({ Networks }) => Networks ?? []);
  const containers = tasks.map(({ ContainerSpec }) => ContainerSpec);
  const file = { version: 1, labels: {}, data: 'eA==' };
  return observed({
    services: services.value,
    networks: [
      ...networks.value,
      ...outside(
        networks.value,
        targets.map(({ Target }) => Target.replace(/^net-/, '')),
      ).map((name) => ({ ...blogNetwork, labels: {}, id: `net-${name}`, name })),
    ],
    configs: [
      ...configs.value,
      ...outside(
        configs.value,
        containers.flatMap((one) => one.Configs ?? []).map(({ ConfigName }) => ConfigName),
      ).map((name) => ({ ...file, id: name, name })),
    ],
    secrets: [
      ...secrets.value,
      ...outside(
        secrets.value,
        containers.flatMap((one) => one.Secrets ?? []).map(({ SecretName }) => SecretName),
      ).map((name) => ({ ...file, id: name, name })),
    ],
  });
}

const nothing = { mistakes: [], changes: [], blocked: [], notes: [] };
const cases = readCases().filter(({ accepted }) => accepted);

describe.skipIf(!isThere)('what the CLI deployed of real stack files', () => {
  it.each(cases.map(({ id }) => id))('%s is written back, and plans to nothing', (id) => {
    const back = adopted(`s${id}`, swarmOf(id));
    expect(back).toMatchObject(nothing);
  });
});

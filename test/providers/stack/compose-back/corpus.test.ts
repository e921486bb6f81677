import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { StackObserved } from '../../../../agent/providers/stack/observed.ts';
import { blogNetwork, observed } from '../../../fakes/stack.ts';
import { readLists } from '../../../parity/stored.ts';
import { adopted } from './support.ts';

/** What real engines had that the Docker CLI sent real stack files to; not part of the project. */
const folder = join(import.meta.dirname, '../../../../../shared/corpus/expected');
const isThere = existsSync(folder);
const cases = isThere ? readdirSync(folder).map((file) => file.replace(/\.json$/, '')) : [];

/** With the ids that the engine would give networks, a subnet where it allocated one, and folders of the file's own made absolute. */
function storedOf(id: string) {
  const text = readFileSync(join(folder, `${id}.json`), 'utf8').replaceAll('"@DIR@', '"/srv');
  const { stored } = JSON.parse(text, (key, value) => {
    if (key === 'Target' && typeof value === 'string') return value.replace(/^net:/, 'net-');
    return key === 'Config' && typeof value === 'string' ? [{ Subnet: '10.0.9.0/24' }] : value;
  });
  for (const network of stored.networks) network.Id = `net-${network.Name}`;
  return stored;
}

/** What an engine has that the CLI sent a stack to; what it names and did not make was there before. */
function swarmOf(id: string): StackObserved {
  const { services, networks, configs, secrets } = readLists(storedOf(id));
  const tasks = services.map(({ spec }) => spec.TaskTemplate);
  const outside = (there: readonly { name: string }[], used: readonly string[]) => {
    const names = new Set(there.map(({ name }) => name));
    return [...new Set(used)].filter((name) => !names.has(name));
  };
  const targets = tasks.flatMap(({ Networks }) => Networks ?? []);
  const containers = tasks.map(({ ContainerSpec }) => ContainerSpec);
  const file = { version: 1, labels: {}, data: 'eA==' };
  return observed({
    services,
    networks: [
      ...networks,
      ...outside(
        networks,
        targets.map(({ Target }) => Target.replace(/^net-/, '')),
      ).map((name) => ({ ...blogNetwork, labels: {}, id: `net-${name}`, name })),
    ],
    configs: [
      ...configs,
      ...outside(
        configs,
        containers.flatMap((one) => one.Configs ?? []).map(({ ConfigName }) => ConfigName),
      ).map((name) => ({ ...file, id: name, name })),
    ],
    secrets: [
      ...secrets,
      ...outside(
        secrets,
        containers.flatMap((one) => one.Secrets ?? []).map(({ SecretName }) => SecretName),
      ).map((name) => ({ ...file, id: name, name })),
    ],
  });
}

const nothing = { mistakes: [], changes: [], blocked: [], notes: [] };

describe.skipIf(!isThere)('what the CLI deployed of real stack files', () => {
  it.each(cases)('%s is written back, and plans to nothing', (id) => {
    const back = adopted(`s${id}`, swarmOf(id));
    expect(back).toMatchObject(nothing);
  });
});

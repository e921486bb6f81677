import { describe, expect, it } from 'vitest';
import { isPair, isScalar, parseDocument, visit } from 'yaml';

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
import type { Case } from './corpus.ts';
import {
  expectedRequests,
  expectedStored,
  isThere,
  readCases,
  renderCase,
  requestsOf,
} from './corpus.ts';

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

const REFUSALS = new Set(['unsupported-key', 'not-allowed']);
const cases = readCases();
const accepted = cases.filter((one) => one.accepted);

function isRefused(one: Case): boolean {
  const errors = renderCase(one).diagnostics.filter(({ severity }) => severity === 'error');
  return errors.length > 0 && errors.every(({ code }) => REFUSALS.has(code));
}

const refused = accepted.filter(isRefused);
const supported = accepted.filter((one) => !refused.includes(one));

/** Keys of a service that the CLI ignores and we refuse. */
const keys = new Set(
  'depends_on container_name links external_links expose privileged devices security_opt shm_size ipv4_address'.split(
    ' ',
  ),
);

/** Those of them that stand deeper in a service. */
const inside = new Set(['ipv4_address']);

/** The stack file without what this version refuses; host paths made absolute. */
function withoutRefused(text: string): string {
  const document = parseDocument(text, { schema: 'failsafe', merge: false });
  visit(document, {
    Pair: (_, pair, path) => {
      // services / NAME / key, or a mapping of the top level that services merge.
      const above = path.filter(isPair).map(({ key }) => (isScalar(key) ? String(key.value) : ''));
      const isService = above.length === 2 && above[0] === 'services';
      const isMerged = above.length === 1 && above[0]?.startsWith('x-') === true;
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      if (keys.has(key) && (isService || isMerged || inside.has(key))) {
        return visit.REMOVE;
      }
      return undefined;
    },
    Scalar: (_, scalar, path) => {
      if (typeof scalar.value !== 'string') return;
      const pair = path.at(-1);
      const isSource = isPair(pair) && isScalar(pair.key) && pair.key.value === 'source';
      const home = /^~\/(?=.*:)/;
      const here = isSource ? /^\.\// : /^\.\/(?=.*:)/;
      scalar.value = scalar.value.replace(here, '/@DIR@/').replace(home, '/home/deployer/');
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** What the CLI sent or the engine stored, with the host paths made absolute. */
function withAbsolutePaths(requests: ReturnType<typeof expectedRequests>) {
  for (const service of requests.services) {
    for (const mount of service.TaskTemplate.ContainerSpec.Mounts ?? []) {
      if (mount.Source !== undefined) mount.Source = mount.Source.replace(/^@DIR@\//, '/@DIR@/');
    }
  }
  return JSON.parse(JSON.stringify(requests));
}

describe.skipIf(!isThere)(
  `the CLI's requests for real stack files${isThere ? '' : ' (the files are not on this machine)'}`,
  () => {
    const counts = `${supported.length} whole, ${refused.length} refused by key or policy`;
    it(`accepted by the CLI: ${counts}`, () => {
      expect(supported.length).toBeGreaterThan(40);
      expect(supported.length + refused.length).toBe(accepted.length);
    });

    it.each(supported.map((one) => [one.id, one] as const))('%s: equal', (_, one) => {
      const { result, diagnostics } = renderCase(one);
      expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
      if (result === undefined) throw new Error('no result');
      expect(structuredClone(requestsOf(result))).toStrictEqual(expectedRequests(one.id));
    });

    it.each(refused.map((one) => [one.id, one] as const))(
      '%s: equal once what is refused is cut out',
      (_, one) => {
        const { result, diagnostics } = renderCase(one, withoutRefused);
        expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
        if (result === undefined) throw new Error('no result');
        expect(structuredClone(requestsOf(result))).toStrictEqual(
          withAbsolutePaths(expectedRequests(one.id)),
        );
      },
    );

    it.each(accepted.map((one) => [one.id, one] as const))(
      '%s: what the engine stored of it differs in nothing',
      (_, one) => {
        const isCut = refused.includes(one);
        const { result } = renderCase(one, isCut ? withoutRefused : undefined);
        if (result === undefined) throw new Error('no result');
        const stored = expectedStored(one.id);
        if (isCut) withAbsolutePaths(stored);
        expect(differenceFrom(`s${one.id}`, result, stored)).toEqual({
          operations: [],
          blocked: [],
        });
      },
    );

    it.each(cases.filter((one) => one.rejectedBy === 'cli').map((one) => [one.id, one] as const))(
      '%s: refused, as by the CLI',
      (_, one) => {
        expect(renderCase(one).result).toBeUndefined();
      },
    );
  },
);

import * as fc from 'fast-check';

import {
  renderCompose,
  type RenderedCompose,
} from '../../../../agent/providers/stack/compose/render.ts';
import { labels, literal, name, optional, word } from '../compose-back/arbitrary.ts';
import { allowAll, input } from '../compose/inputs.ts';
import { changed, PORTS, service } from './service.ts';

/** So many make every key appear. */
export const STACKS = 100;

const SERVICES_MAX = 3;

type File = Readonly<Record<string, unknown>> & {
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

/** A Compose file, and the same with one key of each service changed. */
export interface Pair {
  readonly stack: string;
  readonly before: File;
  readonly after: File;
  /** By service, the key that changed. */
  readonly keys: Readonly<Record<string, string>>;
}

/** What every Swarm must hold before: what the files name as external. */
export const outside = {
  networks: ['proxy'],
  configs: ['outer', 'far_outer'],
  secrets: ['theirs', 'far_key'],
} as const;

/** What lies beside each file. */
const beside = {
  page: 'one\n',
  tuned: 'two \u0000 {{ .Task.Slot }}',
  key: 'canary-51c0',
  'one.env': 'A=1\nB= two \n#c\nC\nD=\n',
  'two.env': 'A=2\nE==x\n',
};

/** Stack number `at`, which shares no name, port or subnet with any other. */
function pair(at: number): fc.Arbitrary<Pair> {
  const stack = `p${String(at)}`;
  const seat = (index: number) => ({ stack, port: 10_000 + (at * SERVICES_MAX + index) * PORTS });
  return fc
    .uniqueArray(name, { minLength: 1, maxLength: SERVICES_MAX })
    .chain((names) =>
      fc.record({
        rest: rest(stack, at),
        services: fc.tuple(
          ...names.map((one, index) =>
            fc
              .tuple(fc.constant(one), service(seat(index)), service(seat(index)), fc.nat())
              .map(([key, before, other, pick]) => ({ key, before, other, pick })),
          ),
        ),
      }),
    )
    .map(({ rest: top, services }) => {
      const parts = services.map(({ key, before, other, pick }) => {
        const all = [...new Set([...Object.keys(before), ...Object.keys(other)])].toSorted();
        const picked = all[pick % all.length] ?? 'image';
        return { key, before, picked, after: changed(before, other, picked) };
      });
      const whole = (side: 'before' | 'after') =>
        escaped({ ...top, services: Object.fromEntries(parts.map((one) => [one.key, one[side]])) });
      const keys = Object.fromEntries(parts.map(({ key, picked }) => [key, picked]));
      return { stack, before: whole('before'), after: whole('after'), keys };
    });
}

/** So many stacks, with values of every size: the first of a sample would be small ones alone. */
export function pairs(count: number): readonly Pair[] {
  const all = fc.tuple(...Array.from({ length: count }, (_, at) => pair(at)));
  return fc.sample(fc.noBias(all), 1).flat();
}

function escaped(file: File): File {
  const { services, ...rest } = file;
  const plain = (value: unknown): Readonly<Record<string, never>> =>
    Object.fromEntries(Object.entries(Object(literal(value))));
  return { ...plain(rest), services: plain(services) };
}

function rest(stack: string, at: number) {
  const subnet = `100.${String(64 + (at >> 8))}.${String(at & 255)}.0/24`;
  return fc.record({
    version: fc.constantFrom('3.13', '3', ''),
    'x-top': fc.constant({ any: ['thing'] }),
    networks: fc.record({
      back: fc.oneof(
        fc.constant(null),
        optional({
          driver: fc.constantFrom('overlay', ''),
          driver_opts: fc.dictionary(name, word, { maxKeys: 2 }),
          ipam: fc.constantFrom(
            {},
            { config: [] },
            { config: [{ subnet }] },
            { driver: 'default', config: [{ subnet }] },
            { driver: 'default' },
          ),
          internal: fc.boolean(),
          attachable: fc.boolean(),
          labels,
          'x-net': fc.constant(1),
        }),
      ),
      edge: fc.constantFrom({ external: true, name: 'proxy' }, { external: { name: 'proxy' } }),
      node: fc.constant({ external: true, name: 'host' }),
      bridge: fc.constant({ external: true }),
      renamed: fc.constantFrom(
        { name: `${stack}-net` },
        { name: `${stack}_net`, external: false, labels: { a: 'b' } },
      ),
    }),
    volumes: fc.record({
      data: fc.oneof(
        fc.constant(null),
        optional({ labels, name: fc.constantFrom('data', 'v{{.Task.Slot}}') }),
      ),
      far: fc.constantFrom(
        { external: true },
        { external: true, name: 'far' },
        { external: { name: 'far' } },
      ),
      driven: fc.constantFrom(
        { driver: 'local' },
        { driver_opts: {} },
        { driver: 'local', driver_opts: { type: 'nfs', o: 'addr=10.0.0.1', device: ':/x' } },
        { driver: 'rexray', driver_opts: { size: '1' } },
      ),
      odd: fc.constantFrom({ name: 'data' }, { 'x-cluster-spec': { access_mode: {} } }),
    }),
    configs: fc.record({
      page: fc.record({ file: fc.constant('./page'), labels }),
      tuned: fc.constantFrom(
        { file: './tuned', template_driver: 'golang' },
        { file: './tuned', name: `${stack}_page-0a1b2c3d`, external: false },
      ),
      outer: fc.constantFrom(
        { external: true },
        { external: true, name: 'far_outer' },
        { external: { name: 'far_outer' } },
      ),
    }),
    secrets: fc.record({
      key: fc.oneof(
        fc.record({ file: fc.constant('./key'), labels }),
        fc.constantFrom(
          { file: './key', template_driver: 'golang' },
          { file: './key', name: `${stack}.key`, external: false },
        ),
      ),
      theirs: fc.constantFrom(
        { external: true },
        { external: true, name: 'far_key' },
        { external: { name: 'far_key' } },
      ),
    }),
  });
}

/** JSON is YAML; what a YAML file must not hold as it is stands as an escape. */
function jsonOf(file: unknown): string {
  const escape = (one: string) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(file).replaceAll(/[\u007f-\uffff]/g, escape);
}

/** The stack as it is made of a file. */
export function rendered(stack: string, file: unknown): RenderedCompose {
  const files = Object.fromEntries(
    Object.entries(beside).map(([path, content]) => [`stacks/${stack}/${path}`, content]),
  );
  const allow = { ...allowAll, checkout: '/srv/checkout', home: '/home/deployer' };
  const given = input(jsonOf(file), { allow, files, variables: { C: 'given' } });
  return renderCompose({ ...given, stack, file: `stacks/${stack}/compose.yaml` });
}

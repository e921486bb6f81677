import { describe, expect, it } from 'vitest';

import { countsOf, type Plan } from '../../../agent/core/plan.ts';
import { compareUnits } from '../../../agent/planning.ts';
import { composePath } from '../../../agent/providers/stack/compose-paths.ts';
import { isStage } from '../../../agent/providers/stack/stage.ts';
import { stackFrom } from '../../fakes/rendered-stack.ts';

const web = (more = '', image = 'site:1'): string =>
  `services:\n  web:\n    image: ${image}\n${more}`;
const blog = (compose: string, more: Readonly<Record<string, string>> = {}) =>
  stackFrom('blog', { 'compose.yaml': compose, ...more });

/** The plan of one stack, from one version to another. */
function plan(before: ReturnType<typeof blog>, after: ReturnType<typeof blog>): Plan {
  return compareUnits('test', [before], [after]);
}

const fieldsOf = ({ units }: Plan): unknown[] =>
  units.flatMap(({ operations }) =>
    operations.flatMap(({ target, verb, effect, fields }) => [
      `${verb} ${target}: ${effect}`,
      ...fields.map(({ path, observed, desired }) => [path, observed, desired]),
    ]),
  );

const everything = `
services:
  web:
    image: site:1
    environment: {A: '1'}
    networks: [front, proxy, other]
    volumes: ['data:/data']
    configs: [page]
    secrets: [key]
    deploy: {replicas: 2, mode: replicated}
  all:
    image: site:1
    deploy: {mode: global}
networks:
  front: {driver: overlay, attachable: true, labels: {a: b}, driver_opts: {x: y}, ipam: {config: [{subnet: 10.7.0.0/24}]}}
  proxy: {external: true}
  other: {external: true, name: elsewhere}
volumes: {data: {}}
configs: {page: {file: page.html}}
secrets: {key: {file: key.txt}}
`;
const files = { 'page.html': 'one', 'key.txt': 'canary-secret-one' };

describe('a plan between two revisions', () => {
  it('is empty where nothing differs, whatever a stack holds', () => {
    const nothing = plan(blog(everything, files), blog(everything, files));
    expect(nothing).toEqual({ environment: 'test', units: [], unchanged: 1, notes: [] });
  });

  it('names an image as people write it, once, and says that tasks restart', () => {
    const changed = plan(blog(web()), blog(web('', 'site:2')));
    expect(fieldsOf(changed)).toEqual([
      'update service blog_web: restart',
      ['services.web.image', 'site:1', 'site:2'],
    ]);
    expect(countsOf(changed)).toMatchObject({ changed: 1, restarts: 1, destructive: 0, added: 0 });
  });

  it('shows the digest that the lock gives, and nothing where an entry leaves', () => {
    const [one = '', two = ''] = ['1', '2'].map((digit) => `sha256:${digit.repeat(64)}`);
    const locked = (digest?: string) => stackFrom('blog', { 'compose.yaml': web() }, digest);
    expect(fieldsOf(plan(locked(one), locked(two)))).toEqual([
      'update service blog_web: restart',
      ['services.web.image', `site:1@${one}`, `site:1@${two}`],
    ]);
    expect(fieldsOf(plan(locked(), locked(one)))).toEqual([
      'update service blog_web: restart',
      ['services.web.image', 'site:1', `site:1@${one}`],
    ]);
    expect(fieldsOf(plan(locked(one), locked()))).toEqual([]);
  });

  it('restarts nothing for the number of copies', () => {
    const more = web('    deploy: {replicas: 3}\n');
    expect(fieldsOf(plan(blog(web('    deploy: {replicas: 2}\n')), blog(more)))).toEqual([
      'update service blog_web: none',
      ['services.web.deploy.replicas', '2', '3'],
    ]);
  });

  it('shows variables one by one, also behind long ones, and none that looks like a secret', () => {
    const long = 'x'.repeat(300);
    const variables = (last: string): string =>
      web(`    environment: {A: ${long}, Z: '${last}', DB_PASSWORD: hunter-${last}}\n`);
    const changed = plan(blog(variables('1')), blog(variables('2')));
    expect(fieldsOf(changed).slice(1)).toEqual([
      ['services.web.environment.DB_PASSWORD', '[secret]', '[secret]'],
      ['services.web.environment.Z', '1', '2'],
    ]);
    expect(JSON.stringify(changed)).not.toContain('hunter');
  });

  it('says of contents that they changed, and nothing by which they could be guessed', () => {
    const next = { 'page.html': 'two', 'key.txt': 'canary-secret-two' };
    const changed = plan(blog(everything, files), blog(everything, next));
    expect(fieldsOf(changed)).toEqual([
      'update config blog_page: none',
      ['content', '[not shown]', '[not shown]'],
      'update secret blog_key: none',
      ['content', '[not shown]', '[not shown]'],
      'update service blog_web: restart',
      ['services.web.configs.page', 'blog_page', 'blog_page (changed)'],
      ['services.web.secrets.key', 'blog_key', 'blog_key (changed)'],
    ]);
    expect(JSON.stringify(changed)).not.toMatch(/canary|-[0-9a-f]{8}/);
  });

  it('shows a service that goes from one external network to another', () => {
    const to = (name: string): string =>
      `${web('    networks: [proxy]\n')}networks: {proxy: {external: true, name: ${name}}}\n`;
    expect(fieldsOf(plan(blog(to('first')), blog(to('second'))))[0]).toBe(
      'update service blog_web: restart',
    );
  });

  it('needs nothing that others make: the Swarm is not asked', () => {
    const proxied = `${web('    networks: [proxy]\n')}networks: {proxy: {external: true}}\n`;
    const { units } = compareUnits('test', [], [blog(proxied)]);
    expect(units).toMatchObject([{ change: 'add', blocked: [] }]);
  });

  it('says what the engine cannot change', () => {
    const on = (driver: string): string =>
      `${web('    networks: [a]\n')}networks: {a: {attachable: ${driver}}}\n`;
    const { units } = plan(blog(on('false')), blog(on('true')));
    expect(units[0]?.blocked).toEqual([expect.stringContaining('cannot be changed')]);
    expect(countsOf({ units }).held).toBe(1);
  });

  it('removes what left the file, and only tells of it where the stack says so', () => {
    const two = `${web()}  extra:\n    image: extra:1\n`;
    const keeps = { 'stack.yaml': 'kind: Stack\nprune: false\n' };
    const kept = plan(blog(two, keeps), blog(web(), keeps));
    expect(kept.units).toMatchObject([{ change: 'keep', operations: [] }]);
    expect(kept.units[0]?.notes[0]).toContain('service blog_extra is not in the repository');
    expect(fieldsOf(plan(blog(two), blog(web())))).toEqual([
      'remove service blog_extra: destructive',
    ]);
  });

  it('removes all of a stack that left, at last, and says where a person is needed', () => {
    const hold = { 'stack.yaml': 'kind: Stack\nremoval: hold\n' };
    const shop = (image: string) => stackFrom('shop', { 'compose.yaml': web('', image) });
    const { units } = compareUnits(
      'test',
      [blog(everything, { ...files, ...hold }), shop('site:1')],
      [shop('site:2')],
    );
    expect(units.map(({ id, change, wave }) => [id, change, wave])).toEqual([
      ['stack/shop', 'change', 1],
      ['stack/blog', 'remove', 2],
    ]);
    expect(units[1]?.operations.map(({ target, effect }) => `${target} ${effect}`)).toEqual([
      'service blog_all destructive',
      'service blog_web destructive',
      'network blog_default destructive',
      'network blog_front destructive',
      'config blog_page destructive',
      'secret blog_key destructive',
    ]);
    expect(units[1]?.notes).toEqual([expect.stringContaining('removal: hold')]);
  });

  it('shows what stack.yaml changes', () => {
    const stable = (time: string) => ({
      'stack.yaml': `kind: Stack\nhealth: {stableFor: ${time}}\n`,
    });
    expect(fieldsOf(plan(blog(web(), stable('5s')), blog(web(), stable('9s'))))).toEqual([
      'update settings: none',
      ['stack.health.stableForMs', '5000', '9000'],
    ]);
  });

  it('puts units into waves by what changes, and only by that', () => {
    const on = (name: string, image: string, ...after: string[]) =>
      stackFrom(name, {
        'compose.yaml': web('', `site:${image}`),
        'stack.yaml': `kind: Stack\ndependsOn: [${after.map((one) => `stack/${one}`).join(', ')}]\n`,
      });
    const all = (a: string, b: string, c: string, d: string) => [
      on('d', d, 'c', 'a'),
      on('c', c, 'b'),
      on('b', b, 'a'),
      on('a', a),
    ];
    const wavesOf = (after: ReturnType<typeof all>): string[] =>
      compareUnits('test', all('1', '1', '1', '1'), after).units.map(
        ({ id, wave }) => `${id} ${String(wave)}`,
      );
    expect(wavesOf(all('2', '2', '2', '2'))).toEqual([
      'stack/a 1',
      'stack/b 2',
      'stack/c 3',
      'stack/d 4',
    ]);
    expect(wavesOf(all('2', '1', '1', '2'))).toEqual(['stack/a 1', 'stack/d 2']);
    expect(wavesOf(all('1', '1', '1', '2'))).toEqual(['stack/d 1']);
  });

  it('is the same each time, though its key is not', () => {
    const next = { 'page.html': 'two', 'key.txt': 'two' };
    const once = () => plan(blog(everything, files), blog(everything, next));
    expect(once()).toEqual(once());
  });
});

describe('names of the Engine API', () => {
  it.each([
    ['services.web.TaskTemplate.ContainerSpec.Env.A.B', 'services.web.environment.A.B'],
    ['services.web.TaskTemplate.ContainerSpec.Newer', 'services.web.Newer'],
    [
      'services.web.TaskTemplate.Placement.MaxReplicas',
      'services.web.deploy.placement.MaxReplicas',
    ],
    ['services.web.Labels.a', 'services.web.deploy.labels.a'],
    ['services.web.LabelsOf', 'services.web.LabelsOf'],
    ['config blog_page.Labels.a', 'config blog_page.Labels.a'],
  ])('%s is %s', (engine, compose) => expect(composePath(engine)).toBe(compose));
});

describe('a rehearsal stage', () => {
  const mine = { engineLabels: { 'understudy.rehearsal': 'us' } };
  it.each([
    ['every engine says so', [mine, mine], true],
    ['one engine does not', [mine, { engineLabels: {} }], false],
    ['there is no node', [], false],
  ])('%s: %s', (_, nodes, expected) => expect(isStage(nodes)).toBe(expected));
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { cyclesOf, edgesOf } from '../../../agent/core/edges.ts';
import { formatText } from '../../../agent/core/format.ts';
import { cephFromWire } from '../../../agent/providers/ceph/wire.ts';
import { environment, told } from '../mysql/rendering.ts';
import { ceph, type Done, render, specsIn, unitIn } from './rendering.ts';

const pool = (name: string, more = ''): string =>
  `kind: CephPool\nname: ${name}\napplication: cephfs\nreplicated: {}\n${more}`;
const rule = (more = ''): string => `kind: CephCrushRule\nname: ssd\n${more}`;
const filesystem = (more = ''): string =>
  `kind: CephFilesystem\nname: cephfs\nmetadataPool: meta\ndataPools: [data]\n${more}`;
const group = (more = ''): string =>
  `kind: CephSubvolumeGroup\nname: sites\nfilesystem: cephfs\n${more}`;
const subvolume = (more = ''): string =>
  `kind: CephSubvolume\nname: blog\nfilesystem: cephfs\n${more}`;
const client = (more = '', name = 'blog'): string =>
  `kind: CephClient\nname: ${name}\nsecret: ${name}_ceph\n${more}`;
const mounting = (id: string): string => `subvolumes: [{id: ${id}}]\n`;
const CAPS = 'caps: {mon: allow r}\n';

const idsOf = ({ units }: Done): readonly string[] => units.map(({ id }) => id);

describe('documents become units', () => {
  it('of six kinds, with the names of what they lie in', () => {
    const done = render({
      ...ceph(pool('meta'), pool('data', 'crushRule: ssd\n'), rule(), filesystem(), group()),
      'ceph/sites/blog.yaml': [
        subvolume('group: sites\ndataPool: data\n'),
        subvolume(),
        client(mounting('ceph-subvolume/cephfs/sites/blog')),
      ].join('---\n'),
    });
    expect(told(done)).toEqual([]);
    expect(done.units.map(({ id, gives, needs }) => ({ id, gives, needs }))).toEqual([
      { id: 'stack/blog', gives: ['network:blog_default'], needs: [] },
      {
        id: 'ceph-subvolume/cephfs/sites/blog',
        gives: [],
        needs: ['filesystem:cephfs', 'pool:data', 'subvolume-group:cephfs/sites'],
      },
      { id: 'ceph-subvolume/cephfs/_nogroup/blog', gives: [], needs: ['filesystem:cephfs'] },
      { id: 'ceph-client/blog', gives: ['secret:blog_ceph'], needs: [] },
      { id: 'ceph-pool/meta', gives: ['pool:meta'], needs: [] },
      { id: 'ceph-pool/data', gives: ['pool:data'], needs: ['crush-rule:ssd'] },
      { id: 'ceph-crush-rule/ssd', gives: ['crush-rule:ssd'], needs: [] },
      {
        id: 'ceph-filesystem/cephfs',
        gives: ['filesystem:cephfs'],
        needs: ['pool:meta', 'pool:data'],
      },
      {
        id: 'ceph-subvolume-group/cephfs/sites',
        gives: ['subvolume-group:cephfs/sites'],
        needs: ['filesystem:cephfs'],
      },
    ]);
    expect(unitIn(done, 'ceph-subvolume/cephfs/sites/blog')).toMatchObject({
      place: { file: 'ceph/sites/blog.yaml', line: 2, path: 'name' },
      spec: { kind: 'CephSubvolume', name: 'blog', group: 'sites', mode: 0o755, uid: 0 },
    });
    expect(unitIn(done, 'ceph-client/blog').dependsOn).toEqual([
      'ceph-subvolume/cephfs/sites/blog',
    ]);
  });

  it('beside those of databases, one folder not knowing of the other', () => {
    const done = render({
      ...ceph(pool('blog'), client(CAPS)),
      'mysql/x.yaml': 'kind: MySQLDatabase\nname: blog\ndependsOn: [ceph-pool/blog]\n',
    });
    expect([told(done), idsOf(done)]).toEqual([
      [],
      ['stack/blog', 'mysql-database/blog', 'ceph-pool/blog', 'ceph-client/blog'],
    ]);
  });

  it.each([
    ['ceph-pool', 'ceph-pool/cephfs.data'],
    ['ceph-crush-rule', 'ceph-crush-rule/ssd'],
    ['ceph-filesystem', 'ceph-filesystem/cephfs'],
    ['ceph-subvolume-group', 'ceph-subvolume-group/cephfs/sites'],
    ['ceph-subvolume', 'ceph-subvolume/cephfs/sites/blog'],
    ['ceph-client', 'ceph-client/site-blog'],
  ])('of the example %s', (name, id) => {
    const examples = join(import.meta.dirname, '../../../schemas/examples');
    const text = readFileSync(join(examples, `${name}.yaml`), 'utf8').replace(
      /^dependsOn: .*/mu,
      'dependsOn: [stack/blog]',
    );
    const rest = [group(), subvolume('group: sites\n')].filter(
      (one) => one.split('\n')[0] !== /^kind: .*/mu.exec(text)?.[0],
    );
    const done = render({
      ...ceph(...rest),
      ...environment('ceph: {allowed: [default]}\n'),
      'ceph/y.yaml': text,
    });
    expect(told(done)).toEqual([]);
    expect(unitIn(done, id).dependsOn).toContain('stack/blog');
  });

  it('with what stands beside the spec', () => {
    const more = 'dependsOn: [stack/blog]\nsuspend: true\nx-why: x\n';
    const unit = unitIn(render(ceph(rule(more))), 'ceph-crush-rule/ssd');
    const plain = unitIn(render(ceph(rule())), 'ceph-crush-rule/ssd');
    expect(unit).toMatchObject({ dependsOn: ['stack/blog'], suspended: true });
    expect([plain.spec, plain.digest]).toEqual([unit.spec, unit.digest]);
    expect(plain.spec).not.toHaveProperty('cluster');
  });

  it('and what they say crosses the pipe', () => {
    const done = render(
      ceph(
        pool('meta', 'quotas: {maxSize: 1Gi}\nparameters: {compression_mode: force}\n'),
        'kind: CephPool\nname: ec\napplication: rbd\nerasureCoded: {dataChunks: 2, codingChunks: 2}\n',
        rule('deviceClass: ssd\ndeletionPolicy: Delete\n'),
        filesystem(),
        group('quota: 1Ti\n'),
        subvolume("size: 1Gi\nmode: '0700'\n"),
        client(mounting('ceph-subvolume/cephfs/_nogroup/blog')),
        client('caps: {mon: allow r, osd: profile rbd}\nformat: keyring\n', 'other'),
      ),
    );
    const specs = specsIn(done);
    expect(specs).toHaveLength(8);
    for (const spec of specs) {
      expect(cephFromWire.parse(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
    }
  });

  it.each<[string, object]>([
    ['another key', { more: 1 }],
    ['another kind', { kind: 'CephVolume' }],
    ['no name', { name: '' }],
    ['another policy', { deletionPolicy: 'Delete' }],
  ])('or is refused with %s', (_, change) => {
    const { spec } = unitIn(render(ceph(pool('a'))), 'ceph-pool/a');
    expect(cephFromWire.safeParse(spec).success).toBe(true);
    expect(cephFromWire.safeParse({ ...spec, ...change }).success).toBe(false);
  });
});

describe('clusters', () => {
  const around = environment('ceph: {default: main, allowed: [old]}\n');

  it.each<[string, string, readonly string[]]>([
    ['', 'main', ['ceph-pool/data', 'ceph-subvolume/cephfs/_nogroup/blog', 'ceph-client/blog']],
    [
      'cluster: main\n',
      'main',
      ['ceph-pool/data', 'ceph-subvolume/cephfs/_nogroup/blog', 'ceph-client/blog'],
    ],
    [
      'cluster: old\n',
      'old',
      ['ceph-pool/old/data', 'ceph-subvolume/old/cephfs/_nogroup/blog', 'ceph-client/old/blog'],
    ],
  ])('stand in the middle where they are not the default one: `%s`', (more, cluster, ids) => {
    const files = ceph(pool('data', more), subvolume(more), client(`${CAPS}${more}`));
    const done = render({ ...files, ...around });
    expect(told(done)).toEqual([]);
    expect(idsOf(done).slice(1)).toEqual(ids);
    expect(specsIn(done).map((spec) => spec.cluster)).toEqual([cluster, cluster, cluster]);
  });

  it('are those that the environment allows', () => {
    const done = render({ ...ceph(pool('data', 'cluster: odl\n')), ...around });
    expect(told(done)).toEqual([
      'error[not-allowed] ceph/x.yaml:5 (cluster) the environment `production` does not allow the cluster `odl` = did you mean `old`?',
    ]);
  });

  it('keep apart what has one name on two of them', () => {
    const done = render({
      ...ceph(filesystem(), filesystem('cluster: old\n'), group('cluster: old\n'), group()),
      ...around,
    });
    expect(told(done)).toEqual([]);
    const edges = Object.fromEntries(edgesOf(done.units));
    expect(edges).toMatchObject({
      'ceph-subvolume-group/cephfs/sites': ['ceph-filesystem/cephfs'],
      'ceph-subvolume-group/old/cephfs/sites': ['ceph-filesystem/old/cephfs'],
    });
  });
});

describe('ids', () => {
  it('are of variables, two environments having two', () => {
    const done = render({
      ...ceph(subvolume('group: ${TEAM}-sites\n')),
      ...environment('variables: {TEAM: a}\n'),
    });
    expect(idsOf(done)).toContain('ceph-subvolume/cephfs/a-sites/blog');
  });

  it.each<[string, string]>([
    ['group: ${TEAM}\n', 'error[undefined-variable] ceph/x.yaml:4 (group)'],
    ['group: 5\n', 'error[wrong-type] ceph/x.yaml:4 (group)'],
    ['group: ""\n', 'error[wrong-value] ceph/x.yaml:4 (group)'],
  ])('are not made of `%s`, which is told once', (more, text) => {
    const words = told(render(ceph(subvolume(more))));
    expect(words).toHaveLength(1);
    expect(words[0]).toContain(text);
  });

  it('are what an environment chooses by', () => {
    const done = render({
      ...ceph(subvolume(), group(), client(mounting('ceph-subvolume/cephfs/_nogroup/blog'))),
      ...environment('stacks: {exclude: ["ceph-subvolume/*"]}\n'),
    });
    expect(told(done)).toEqual([
      'error[undefined-unit] ceph/x.yaml:12 (subvolumes[0].id) the environment `production` does not have `ceph-subvolume/cephfs/_nogroup/blog` = `stacks` of environments/production.yaml leaves it out: include it, or leave this stack out as well',
    ]);
  });
});

describe('edges', () => {
  const stack = {
    'stacks/blog/compose.yaml':
      'services: {web: {image: x, secrets: [blog_ceph]}}\nsecrets: {blog_ceph: {external: true}}\n',
  };
  const own = mounting('ceph-subvolume/cephfs/sites/blog');

  it('lead from a stack to the client, from there to the rule of a pool', () => {
    const done = render({
      ...ceph(client(own), subvolume('group: sites\n'), group(), filesystem(), pool('data')),
      'ceph/y.yaml': [pool('meta', 'crushRule: ssd\n'), rule()].join('---\n'),
      ...stack,
    });
    expect(told(done)).toEqual([]);
    expect(Object.fromEntries(edgesOf(done.units))).toEqual({
      'stack/blog': ['ceph-client/blog'],
      'ceph-client/blog': ['ceph-subvolume/cephfs/sites/blog'],
      'ceph-subvolume/cephfs/sites/blog': [
        'ceph-filesystem/cephfs',
        'ceph-subvolume-group/cephfs/sites',
      ],
      'ceph-subvolume-group/cephfs/sites': ['ceph-filesystem/cephfs'],
      'ceph-filesystem/cephfs': ['ceph-pool/meta', 'ceph-pool/data'],
      'ceph-pool/meta': ['ceph-crush-rule/ssd'],
      'ceph-pool/data': [],
      'ceph-crush-rule/ssd': [],
    });
    expect(cyclesOf(edgesOf(done.units))).toEqual([]);
  });

  it('that lead round are a mistake', () => {
    const files = ceph(
      client('subvolumes: [{id: ceph-subvolume/cephfs/_nogroup/blog}]\n'),
      subvolume('dependsOn: [stack/blog]\n'),
    );
    const words = formatText(render({ ...files, ...stack }).diagnostics, { colour: false });
    expect(words).toContain('error[dependency-cycle]');
    expect(words).toContain('`stack/blog` needs secret blog_ceph, which `ceph-client/blog` makes');
  });

  it('lead to no file system and no pool that is declared nowhere, and nobody is told', () => {
    const done = render(ceph(filesystem(), subvolume('dataPool: data\n'), pool('other')));
    const outside = render(ceph(subvolume('dataPool: data\n')));
    expect([told(done), told(outside)]).toEqual([[], []]);
    expect(unitIn(outside, 'ceph-subvolume/cephfs/_nogroup/blog').needs).toEqual([]);
  });

  it('of a document with a mistake make no second one', () => {
    const done = render(ceph(subvolume('group: sites\n'), group('wrong: 1\n')));
    expect(told(done)).toEqual(['error[unknown-key] ceph/x.yaml:9 (wrong) unknown key `wrong`']);
  });
});

describe('the secret of a client', () => {
  it('belongs to one of them, whatever its capitals and its cluster', () => {
    const done = render({
      ...ceph(client(CAPS), client(`${CAPS}cluster: old\n`).replace('blog_ceph', 'Blog_Ceph')),
      ...environment('ceph: {default: main, allowed: [old]}\n'),
    });
    expect(told(done)).toEqual([
      'error[name-conflict] ceph/x.yaml:8 (secret) the secret `blog_ceph` is also made by `ceph-client/blog`',
    ]);
  });

  it('is no account of a database', () => {
    const done = render({
      ...ceph(client(CAPS)),
      'mysql/x.yaml': 'kind: MySQLUser\nname: a\npassword: {generate: true, secret: blog_ceph}\n',
    });
    expect(told(done)).toEqual([
      'error[name-conflict] ceph/x.yaml:3 (secret) the secret `blog_ceph` is also made by `mysql-user/a`',
    ]);
  });

  it('is another one for its stacks in another form, and for nobody else', () => {
    const digests = (more: string): readonly string[] => {
      const done = render({
        ...ceph(client(`${CAPS}${more}`)),
        'stacks/blog/compose.yaml':
          'services: {web: {image: x, secrets: [blog_ceph]}}\nsecrets: {blog_ceph: {external: true}}\n',
        'stacks/other/compose.yaml': 'services: {web: {image: x}}\n',
      });
      return ['stack/blog', 'stack/other'].map((id) => unitIn(done, id).digest);
    };
    const [blog, other] = digests('');
    expect(digests('format: key\n')).toEqual([blog, other]);
    const [changed, same] = digests('format: keyring\n');
    expect(changed).not.toBe(blog);
    expect(same).toBe(other);
    expect(digests('adopt: true\n')).toEqual([blog, other]);
  });
});

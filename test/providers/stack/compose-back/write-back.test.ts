import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { ServiceSpec } from '../../../../agent/providers/stack/engine-api.ts';
import { renderCompose } from '../../../../agent/providers/stack/compose/render.ts';
import { contentDigest } from '../../../../agent/providers/stack/names.ts';
import type { StackObserved } from '../../../../agent/providers/stack/observed.ts';
import type { SwarmState } from '../../../../agent/providers/stack/swarm.ts';
import { blogNetwork, digestKey, live, observed, service } from '../../../fakes/stack.ts';
import { allowAll, input } from '../compose/inputs.ts';
import { adopted, swarmOf } from './support.ts';

const golden = join(import.meta.dirname, '../../../golden');

/** A Swarm with one service `web` of a stack `blog`, some of it set by hand. */
function swarm(
  container: Partial<ServiceSpec['TaskTemplate']['ContainerSpec']> = {},
  parts: Partial<ServiceSpec> = {},
  state: Partial<SwarmState> = {},
): StackObserved {
  const plain = service('web');
  const { TaskTemplate: task } = plain;
  const spec = {
    ...plain,
    TaskTemplate: { ...task, ContainerSpec: { ...task.ContainerSpec, ...container } },
    ...parts,
  };
  return observed({ services: [live(spec)], networks: [blogNetwork], ...state });
}

const config = (name: string, data: string) => ({
  id: `id-${name}`,
  version: 1,
  name,
  labels: { 'com.docker.stack.namespace': 'blog' },
  data: Buffer.from(data).toString('base64'),
});
const used = (name: string, target: string) => ({
  File: { Name: target, UID: '0', GID: '0', Mode: 0o444 },
  ConfigName: name,
});
const nothing = { mistakes: [], changes: [], blocked: [], notes: [] };
const left = ({ mistakes, changes, blocked, notes }: ReturnType<typeof adopted>) => {
  return { mistakes, changes, blocked, notes };
};
const contents = ({ files }: ReturnType<typeof adopted>) =>
  Object.fromEntries([...files].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]));

it('writes a file that people can read', async () => {
  const text = readFileSync(join(golden, 'compose/everything.yaml'), 'utf8');
  const { result } = renderCompose(
    input(text, {
      allow: allowAll,
      variables: {
        TAG: '1.27',
        REPLICAS: '3',
        VALUE: '$given',
        READ_ONLY: 'yes',
        HOST: 'blog.example.org',
      },
      files: {
        'stacks/blog/site.conf': 'server {}\n',
        'stacks/blog/credentials.json': '{}',
        'stacks/blog/one.env': 'A=one\nDB_PASSWORD=canary-9d\n',
        'stacks/blog/env/two.env': 'LINES=x\n',
        'shared/password': 'canary-7f3a91',
      },
    }),
  );
  if (result === undefined) throw new Error('nothing came out');
  const back = adopted('blog', swarmOf(result));
  expect(left(back)).toEqual(nothing);
  const told = back.told.map((note) => `# note: ${note}\n`).join('');
  await expect(`${told}${back.compose}`).toMatchFileSnapshot(join(golden, 'adopt/everything.yaml'));
  expect(back.compose).not.toContain('canary-7f3a91');
  expect(contents(back)['configs/site']).toBe('server {}\n');
  expect([...back.files.keys()].at(-1)).toBe('compose.yaml');
});

describe('a config under a name with digits', () => {
  const digits = contentDigest(Buffer.from('two\n').toString('base64'), digestKey).slice(0, 8);
  const rotated = `blog_page-${digits}`;
  const both = [config('blog_page', 'one\n'), config(rotated, 'two\n')];

  it('that an agent gave it comes back under its plain one', () => {
    const there = swarm({ Configs: [used(rotated, 'page')] }, {}, { configs: both });
    const back = adopted('blog', there);
    expect(left(back)).toEqual(nothing);
    expect(back.compose).toContain('configs:\n  page:\n    file: ./configs/page\n');
    expect(contents(back)['configs/page']).toBe('two\n');
  });

  it('stays whole where the one before it is used too', () => {
    const there = swarm(
      { Configs: [used(rotated, 'new'), used('blog_page', 'old')] },
      {},
      { configs: both },
    );
    const back = adopted('blog', there);
    expect(left(back)).toEqual(nothing);
    expect(contents(back)).toMatchObject({
      [`configs/page-${digits}`]: 'two\n',
      'configs/page': 'one\n',
    });
  });

  it('stays whole where somebody else gave it', () => {
    const configs = [config('blog_page-0a1b2c3d', 'two\n')];
    const back = adopted('blog', swarm({ Configs: [used('blog_page-0a1b2c3d', 'page')] }, {}, { configs })); // prettier-ignore
    expect(left(back)).toEqual(nothing);
    expect(contents(back)['configs/page-0a1b2c3d']).toBe('two\n');
  });
});

it("names the stack's own secrets as external, and says so", () => {
  const labels = { 'com.docker.stack.namespace': 'blog' };
  const secrets = [{ id: 'id-key', version: 1, name: 'blog_key', labels }];
  const Secrets = [{ File: used('', 'key').File, SecretName: 'blog_key' }];
  const back = adopted('blog', swarm({ Secrets }, {}, { secrets }));
  expect(left(back)).toEqual(nothing);
  expect(back.compose).toContain('secrets:\n  key:\n    external: true\n    name: blog_key\n');
  expect(back.told.join()).toContain('secret blog_key cannot be read');
});

describe('the image', () => {
  const digest = `@sha256:${'a'.repeat(64)}`;

  it('stays as the file of then had it, whatever digest it was deployed with', () => {
    const back = adopted('blog', swarm({ Image: `site:1${digest}` }));
    expect(left(back)).toEqual(nothing);
    expect(back.compose).toContain('image: site:1\n');
  });

  it('that somebody changed since is the live one, of which only the label differs', () => {
    const back = adopted('blog', swarm({ Image: `site:2${digest}` }));
    expect(back.compose).toContain(`image: site:2${digest}\n`);
    expect(left(back)).toMatchObject({
      mistakes: [],
      blocked: [],
      changes: [
        {
          target: 'service blog_web',
          effect: 'none',
          fields: [
            { path: 'services.web.deploy.labels.com.docker.stack.image', observed: 'site:1' },
          ],
        },
      ],
    });
  });
});

it('tells one volume that two services describe differently apart', () => {
  const plain = { 'com.docker.stack.namespace': 'blog' };
  const mounts = [
    { Type: 'volume', Source: 'blog_data', Target: '/a', VolumeOptions: { Labels: plain } },
    { Type: 'volume', Source: 'blog_data', Target: '/b', VolumeOptions: {} },
    { Type: 'volume', Source: 'blog_data', Target: '/c', VolumeOptions: { Labels: { ...plain, a: 'b' } } }, // prettier-ignore
  ];
  expect(left(adopted('blog', swarm({ Mounts: mounts })))).toEqual(nothing);
});

it('takes variables in another order for the same', () => {
  const back = adopted('blog', swarm({ Env: ['B=1', 'A=2'] }));
  expect(left(back)).toEqual(nothing);
});

it('says what else would show a secret in Git, and not what it is', () => {
  const container = {
    Env: ['DATABASE_URL=mysql://blog:canary@db/x', 'HOME_URL=https://example.org/'],
    Command: ['run', '--password=canary'],
    Args: ['--name=blog'],
    Labels: { 'api.token': 'canary', plain: 'text' },
  };
  const task = { ...service('web').TaskTemplate };
  const LogDriver = { Name: 'splunk', Options: { 'splunk-token': 'canary' } };
  const TaskTemplate = {
    ...task,
    LogDriver,
    ContainerSpec: { ...task.ContainerSpec, ...container },
  };
  const { told } = adopted('blog', swarm({}, { TaskTemplate }));
  const stands = 'of service web stands in the file as it is: use a secret before it goes into Git';
  for (const what of [
    'the value of DATABASE_URL',
    'a word of `entrypoint`',
    'the label api.token',
    'the logging option splunk-token',
  ]) {
    expect(told).toContain(`${what} ${stands}`);
  }
  expect(told.join()).not.toMatch(/canary|HOME_URL|`command`|plain/);
});

it('says which variables would show a secret in Git', () => {
  const back = adopted('blog', swarm({ Env: ['DB_PASSWORD=canary', 'EMPTY_TOKEN=', 'A=b'] }));
  expect(back.told.filter((note) => note.startsWith('the value'))).toEqual([
    'the value of DB_PASSWORD of service web stands in the file as it is: use a secret before it goes into Git',
  ]);
});

describe('what Compose cannot say', () => {
  const cases: readonly (readonly [string, object, string])[] = [
    ['a field that no key makes', { Groups: ['wheel'] }, 'services.web.Groups'],
    ['a host with two names is fine, one without an address is not', { Hosts: ['x'] }, 'services.web.extra_hosts'], // prettier-ignore
    ['options of DNS', { DNSConfig: { Options: ['ndots:1'] } }, 'services.web.dns.Options'],
    ['what is mounted recursively', { Mounts: [{ Type: 'tmpfs', Target: '/a', TmpfsOptions: { Mode: 1 } }] }, 'services.web.volumes./a'], // prettier-ignore
  ];

  it.each(cases)('shows field by field: %s', (_, container, path) => {
    const { mistakes, changes } = adopted('blog', swarm(container));
    expect(mistakes).toEqual([]);
    expect(changes.map(({ target }) => target)).toEqual(['service blog_web']);
    expect(changes[0]?.fields.map((field) => field.path).join()).toContain(path);
  });

  it('is left out where it is a whole service, by name', () => {
    const other = live({ ...service('x'), Name: 'worker' });
    const there = swarm({}, {}, { services: [live(service('web')), other] });
    const back = adopted('blog', there);
    expect(back.told).toContain(
      'service worker is left out: in a file its name would begin with `blog_`',
    );
    expect(back.compose).not.toContain('worker');
  });
});

it('leaves out what no service uses, and says so', () => {
  const there = swarm(
    {},
    {},
    {
      networks: [blogNetwork, { ...blogNetwork, id: 'n2', name: 'blog_old' }],
      configs: [config('blog_old', 'x')],
    },
  );
  const back = adopted('blog', there);
  expect(left(back)).toEqual(nothing);
  expect(back.compose).not.toContain('old');
  expect(back.told.filter((note) => note.includes('blog_old is used by no service'))).toHaveLength(
    2,
  );
});

it('takes a network that nobody lists for that of the nodes, and says so', () => {
  const plain = service('web').TaskTemplate;
  const back = adopted(
    'blog',
    swarm({}, { TaskTemplate: { ...plain, Networks: [{ Target: 'hidden' }] } }),
  );
  expect(left(back)).toEqual(nothing);
  expect(back.compose).toContain('    networks: [host]\n');
  expect(back.allow.hostNetwork).toBe(true);
  expect(back.told.join()).toContain('taken for `host`');
});

it('writes down the least that the policy must allow', () => {
  const back = adopted(
    'blog',
    swarm({
      CapabilityAdd: ['CAP_NET_ADMIN'],
      Sysctls: { 'net.core.somaxconn': '9' },
      Env: ['A'],
      Mounts: [
        { Type: 'bind', Source: '/srv/media/', Target: '/m' },
        { Type: 'bind', Source: '/var/run/docker.sock', Target: '/s' },
      ],
    }),
  );
  expect(left(back)).toEqual(nothing);
  expect(back.compose).toContain(`
# In environments/NAME.yaml it needs:
#   policy:
#     allow:
#       binds: ["/srv/media"]
#       dockerSocket: true
#       capabilities: ["NET_ADMIN"]
#       sysctls: ["net.core.somaxconn"]
#       undefinedVariables: true
`);
});

it.each([
  ['unix:/run/log.sock', ['binds: ["/run/log.sock"]']],
  ['unix:var/run/docker.sock', ['dockerSocket: true']],
  ['unix:/var/run/docker.sock?x=://', []],
  ['tcp://127.0.0.1:24224', ['hostNetwork: true']],
  ['tcp://log:24224', []],
])('asks for what a logging driver connects to: %s', (address, needed) => {
  const { compose } = adopted(
    'blog',
    swarm(
      {},
      {
        TaskTemplate: {
          ...service('web').TaskTemplate,
          LogDriver: { Name: 'fluentd', Options: { 'fluentd-address': address } },
        },
      },
    ),
  );
  const lines = compose.split('\n').filter((line) => line.startsWith('#       '));
  expect(lines.map((line) => line.slice(8))).toEqual(needed);
});

it('writes names that no mapping of a repository may have as a list', () => {
  const odd = Object.fromEntries([
    ['', 'x'],
    ['__proto__', 'y'],
  ]);
  const back = adopted('blog', swarm({ Env: ['=x', '__proto__=', 'A=1'], Sysctls: odd }));
  expect(left(back)).toEqual(nothing);
});

it('asks for nothing where no policy could help', () => {
  const hopeless = ['/srv/{{.Node.Hostname}}', 'C:\\data'];
  for (const Source of hopeless) {
    const { compose } = adopted(
      'blog',
      swarm({ Mounts: [{ Type: 'bind', Source, Target: '/m' }] }),
    );
    expect(compose).not.toContain('dockerSocket');
    expect(compose).not.toContain('binds');
  }
});

it('needs one word more of the policy for what runs and can hardly work', () => {
  const ports = { EndpointSpec: { Ports: [{ TargetPort: 80, PublishedPort: 70_000 }] } };
  const back = adopted('blog', swarm({}, ports));
  expect(left(back)).toEqual(nothing);
  expect(back.compose).toContain('#       unworkable: true\n');
  expect(adopted('blog', swarm()).compose).not.toContain('policy');
});

it('gives a terminal nothing that moves it', () => {
  const { compose } = adopted('blog', swarm({ Env: ['A=\u001b[2J\u009b2J\u202e'] }));
  expect(compose).toContain('A: "\\e[2J\\u009b2J\\u202e"');
  // A line of YAML to some readers, hidden behind what is none to others.
  const Source = '/srv/x\u0085services: {}\u2028y: z';
  const mounts = [{ Type: 'bind', Source, Target: '/m' }];
  expect(adopted('blog', swarm({ Mounts: mounts })).compose).not.toMatch(/[\u0085\u2028]/u);
});

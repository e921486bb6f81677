import { describe, expect, it } from 'vitest';

import { renderCompose } from '../../../../agent/providers/stack/compose/render.ts';
import { allowAll, input } from './inputs.ts';

const OVER = 'stacks/blog/compose.production.yaml';

function merge(base: string, over: string, files: Record<string, string> = {}) {
  const given = input(base, { files, allow: { ...allowAll, undefinedVariables: false } });
  return renderCompose({ ...given, over: [{ file: OVER, text: over }] });
}

/** The service `web` of both files, and what was lost. */
function web(base: string, over: string, files: Record<string, string> = {}) {
  const top = '\nnetworks: {n: , m: }\nvolumes: {data: , other: }\n';
  const { result, diagnostics } = merge(
    `services:\n  web: {image: "nginx:1", ${base}}${top}configs: {c: {file: f}, d: {file: f}}\nsecrets: {c: {file: f}}\n`,
    `services:\n  web: {${over}}\n`,
    { 'stacks/blog/f': 'x', ...files },
  );
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  expect(errors).toEqual([]);
  const spec = result?.services['web'];
  if (spec === undefined) throw new Error('no service');
  return { spec, lost: diagnostics.map(({ code, place }) => `${code} ${place?.file ?? ''}`) };
}

const lostOver = `merge-loss ${OVER}`;
const lostBase = 'merge-loss stacks/blog/compose.yaml';

/** A list says `=value`, which a mapping must not: merged it is a mapping all the same. */
describe('a name that is empty in a list', () => {
  const files = (text: string, other: string) =>
    merge(`services: {web: {image: x, ${text}}}`, `services: {web: {${other}}}`);

  it.each([
    ['environment: ["=x"]', 'user: a', { Env: ['=x'] }],
    ['environment: ["=x"]', 'environment: ["=y", "B=1"]', { Env: ['=y', 'B=1'] }],
    ['labels: ["=x"]', 'labels: {a: b}', { Labels: { '': 'x', a: 'b' } }],
    ['sysctls: ["=x"]', 'sysctls: ["=y"]', { Sysctls: { '': 'y' } }],
  ])('is one: %s and %s', (one, other, container) => {
    const { result, diagnostics } = files(one, other);
    expect(diagnostics).toEqual([]);
    expect(result?.services['web']?.TaskTemplate.ContainerSpec).toMatchObject(container);
  });

  it('is one of `deploy.labels`, too', () => {
    const { result } = files('deploy: {labels: ["=x"]}', 'deploy: {labels: {a: b}}');
    expect(result?.services['web']?.Labels).toMatchObject({ '': 'x', a: 'b' });
  });

  it.each([
    ['environment: ["__proto__=x"]', 'user: a'],
    ['labels: {a: b}', 'labels: ["__proto__=x"]'],
    ['sysctls: ["__proto__=x"]', 'sysctls: {a: b}'],
  ])('is not lost where it is no name of a mapping: %s and %s', (one, other) => {
    const { result, diagnostics } = files(one, other);
    expect(result).toBeUndefined();
    expect(diagnostics).toMatchObject([{ severity: 'error', code: 'wrong-value' }]);
  });

  it.each([
    'environment: {"": x}',
    'labels: {"": x}',
    'deploy: {labels: {"": x}}',
    'sysctls: {"": x}',
    'extra_hosts: {"": x}',
    'logging: {options: {"": x}}',
    'build: {args: {"": x}}',
  ])('is a mistake in a mapping: %s', (text) => {
    for (const [one, other] of [
      [text, 'user: a'],
      ['user: a', text],
    ] as const) {
      const { result, diagnostics } = files(one, other);
      expect(result).toBeUndefined();
      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      expect(errors).toMatchObject([{ code: 'wrong-value', message: 'a name cannot be empty' }]);
    }
  });
});

/** Source of each rule: what CLI 28.2.2 does with `-c base -c over`. */
describe('two files as the CLI merges them', () => {
  it.each<[string, string, string, object, (readonly string[])?]>([
    [
      'a text wins',
      '',
      'image: "nginx:2"',
      { TaskTemplate: { ContainerSpec: { Image: 'nginx:2' } } },
    ],
    [
      'an empty text does not',
      '',
      'image: ""',
      { TaskTemplate: { ContainerSpec: { Image: 'nginx:1' } } },
      [lostOver],
    ],
    [
      'zero replicas win',
      'deploy: {replicas: 2}',
      'deploy: {replicas: 0}',
      { Mode: { Replicated: { Replicas: 0 } } },
    ],
    [
      'plain texts win, empty ones do not',
      'hostname: a, user: a, working_dir: /a, stop_signal: A, isolation: process',
      'hostname: b, user: b, working_dir: /b, stop_signal: B, isolation: ""',
      {
        TaskTemplate: {
          ContainerSpec: {
            Hostname: 'b',
            User: 'b',
            Dir: '/b',
            StopSignal: 'B',
            Isolation: 'process',
          },
        },
      },
      [lostOver],
    ],
    [
      'false overrides no true, not even of `init`',
      'read_only: true, tty: true, stdin_open: true, init: true',
      'read_only: false, tty: false, stdin_open: false, init: false',
      {
        TaskTemplate: {
          ContainerSpec: { ReadOnly: true, TTY: true, OpenStdin: true, Init: true },
        },
      },
      [lostOver, lostOver, lostOver, lostOver],
    ],
    [
      'true overrides false',
      'read_only: false, init: false',
      'read_only: true, init: true',
      { TaskTemplate: { ContainerSpec: { ReadOnly: true, Init: true } } },
    ],
    [
      '`restart` wins, a policy of either file counts before it',
      'restart: always',
      'restart: on-failure:2',
      { TaskTemplate: { RestartPolicy: { Condition: 'on-failure', MaxAttempts: 2 } } },
    ],
    [
      'lists of a container are appended, one text as a list of one',
      'dns: 1.1.1.1, dns_search: [a, b], cap_add: [KILL], cap_drop: [ALL], extra_hosts: ["z:1"]',
      'dns: [2.2.2.2, 1.1.1.1], dns_search: c, cap_add: [CHOWN, KILL], cap_drop: [FOWNER], extra_hosts: ["a=2"]',
      {
        TaskTemplate: {
          ContainerSpec: {
            DNSConfig: { Nameservers: ['1.1.1.1', '2.2.2.2', '1.1.1.1'], Search: ['a', 'b', 'c'] },
            CapabilityAdd: ['CAP_CHOWN', 'CAP_KILL'],
            CapabilityDrop: ['ALL'],
            Hosts: ['1 z', '2 a'],
          },
        },
      },
    ],
    [
      'hosts of a mapping are a sorted list before they are appended',
      'extra_hosts: {z: "1", "a:b": "2", n: , "x=y": "3"}',
      'extra_hosts: {y: "[::1]", b: "2", z: "1"}',
      {
        TaskTemplate: {
          ContainerSpec: { Hosts: ['b:2 a', '3 x=y', '1 z', '2 b', '::1 y', '1 z'] },
        },
      },
    ],
    [
      'an empty list adds nothing',
      'dns: [1.1.1.1]',
      'dns: []',
      { TaskTemplate: { ContainerSpec: { DNSConfig: { Nameservers: ['1.1.1.1'] } } } },
    ],
    [
      'sysctls by name, also an empty one',
      'sysctls: {a: 1, b: 1, c: 1}',
      'sysctls: [b=2, c]',
      { TaskTemplate: { ContainerSpec: { Sysctls: { a: '1', b: '2', c: '' } } } },
    ],
    [
      'ulimits by name, each as a whole',
      'ulimits: {core: 1, nofile: {soft: 1, hard: 2}}',
      'ulimits: {nofile: 5, nproc: {soft: 3, hard: 4}}',
      {
        TaskTemplate: {
          ContainerSpec: {
            Ulimits: [
              { Name: 'core', Soft: 1, Hard: 1 },
              { Name: 'nofile', Soft: 5, Hard: 5 },
              { Name: 'nproc', Soft: 3, Hard: 4 },
            ],
          },
        },
      },
    ],
    [
      'a ulimit also where both have both numbers, and zero',
      'ulimits: {core: {soft: 1, hard: 2}}',
      'ulimits: {core: {soft: 0, hard: 0}}',
      { TaskTemplate: { ContainerSpec: { Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }] } } },
    ],
    [
      'options of one logging driver by name',
      'logging: {driver: syslog, options: {a: x, b: y}}',
      'logging: {driver: syslog, options: {b: , c: z}}',
      { TaskTemplate: { LogDriver: { Name: 'syslog', Options: { a: 'x', b: '', c: 'z' } } } },
    ],
    [
      'options of logging where one file names no driver',
      'logging: {options: {a: x}}',
      'logging: {driver: syslog, options: {a: y}}',
      { TaskTemplate: { LogDriver: { Name: 'syslog', Options: { a: 'y' } } } },
    ],
    [
      'options of logging are lost where the first file has none',
      'logging: {driver: syslog}',
      'logging: {options: {a: y}}',
      { TaskTemplate: { LogDriver: { Name: 'syslog' } } },
      [lostOver],
    ],
    [
      'and kept where it has empty ones',
      'logging: {driver: syslog, options: {}}',
      'logging: {options: {a: y}}',
      { TaskTemplate: { LogDriver: { Name: 'syslog', Options: { a: 'y' } } } },
    ],
    [
      'another logging driver takes the place of the first, with all of it',
      'logging: {driver: syslog, options: {a: x}}',
      'logging: {driver: gelf}',
      { TaskTemplate: { LogDriver: { Name: 'gelf' } } },
    ],
    [
      'credentials field by field',
      'credential_spec: {file: a}',
      'credential_spec: {file: b, registry: ""}',
      {
        TaskTemplate: {
          ContainerSpec: {
            Privileges: { CredentialSpec: { Config: '', File: 'b', Registry: '' } },
          },
        },
      },
    ],
    [
      'nothing keeps what was there',
      'deploy: {replicas: 2}',
      'deploy: ',
      { Mode: { Replicated: { Replicas: 2 } } },
    ],
    [
      'a duration wins',
      'stop_grace_period: 10s',
      'stop_grace_period: 20s',
      { TaskTemplate: { ContainerSpec: { StopGracePeriod: 20e9 } } },
    ],
    [
      'zero of a duration does not',
      'stop_grace_period: 10s',
      'stop_grace_period: 0s',
      { TaskTemplate: { ContainerSpec: { StopGracePeriod: 10e9 } } },
      [lostOver],
    ],
    [
      'memory wins, zero CPUs reset',
      'deploy: {resources: {limits: {cpus: "1", memory: 1g}}}',
      'deploy: {resources: {limits: {memory: 2g}}}',
      { TaskTemplate: { Resources: { Limits: { NanoCPUs: 1e9, MemoryBytes: 2 ** 31 } } } },
    ],
    [
      'zero memory does not',
      'deploy: {resources: {limits: {memory: 1g}}}',
      'deploy: {resources: {limits: {memory: "0"}}}',
      { TaskTemplate: { Resources: { Limits: { MemoryBytes: 2 ** 30 } } } },
      [lostOver],
    ],
    [
      'zero pids do not',
      'deploy: {resources: {limits: {pids: 5}}}',
      'deploy: {resources: {limits: {pids: 0}}}',
      { TaskTemplate: { Resources: { Limits: { Pids: 5 } } } },
      [lostOver],
    ],
    [
      'zero CPUs do',
      'deploy: {resources: {limits: {cpus: "1"}}}',
      'deploy: {resources: {limits: {cpus: "0"}}}',
      { TaskTemplate: { Resources: { Limits: {} } } },
    ],
    [
      'parallelism zero wins',
      'deploy: {update_config: {parallelism: 2, delay: 5s}}',
      'deploy: {update_config: {parallelism: 0, delay: 0s}}',
      { UpdateConfig: { Parallelism: 0, Delay: 5e9 } },
      [lostOver],
    ],
    [
      'parallelism 1 is what nobody says',
      'deploy: {update_config: {delay: 5s}}',
      'deploy: {update_config: {order: start-first}}',
      { UpdateConfig: { Parallelism: 1, Order: 'start-first', Delay: 5e9 } },
    ],
    [
      'retries zero win',
      'healthcheck: {test: [CMD, a], retries: 3}',
      'healthcheck: {retries: 0, interval: 9s}',
      { TaskTemplate: { ContainerSpec: { Healthcheck: { Test: ['CMD', 'a'], Interval: 9e9 } } } },
    ],
    [
      'the words of tests follow each other',
      'healthcheck: {test: a}',
      'healthcheck: {test: [CMD, b]}',
      {
        TaskTemplate: { ContainerSpec: { Healthcheck: { Test: ['CMD-SHELL', 'a', 'CMD', 'b'] } } },
      },
      [lostOver],
    ],
    [
      'constraints are put together',
      'deploy: {placement: {constraints: [a==b]}}',
      'deploy: {placement: {constraints: [a==b, c==d]}}',
      { TaskTemplate: { Placement: { Constraints: ['a==b', 'a==b', 'c==d'] } } },
    ],
    [
      'preferences too',
      'deploy: {placement: {preferences: [{spread: a}]}}',
      'deploy: {placement: {preferences: [{spread: b}]}}',
      {
        TaskTemplate: {
          Placement: {
            Preferences: [
              { Spread: { SpreadDescriptor: 'a' } },
              { Spread: { SpreadDescriptor: 'b' } },
            ],
          },
        },
      },
    ],
    [
      'labels by key, also empty ones',
      'labels: {a: x, b: x}, deploy: {labels: [a=x, b=x]}',
      'labels: [b=], deploy: {labels: {b: }}',
      { Labels: { a: 'x', b: '' }, TaskTemplate: { ContainerSpec: { Labels: { a: 'x', b: '' } } } },
    ],
    [
      'variables by key, empty ones do not win',
      'environment: {A: 1, B: 2, K: keep}',
      'environment: [B=over, C=new, "K="]',
      { TaskTemplate: { ContainerSpec: { Env: ['A=1', 'B=over', 'C=new', 'K=keep'] } } },
    ],
    [
      "the later env_file beats the first file's environment",
      'environment: {A: base, B: base}',
      'env_file: e',
      { TaskTemplate: { ContainerSpec: { Env: ['A=file', 'B=base'] } } },
    ],
    [
      'a command is replaced',
      'command: a b, entrypoint: [x]',
      'command: [c]',
      { TaskTemplate: { ContainerSpec: { Args: ['c'], Command: ['x'] } } },
    ],
    [
      'not by an empty one',
      'command: a b',
      'command: []',
      { TaskTemplate: { ContainerSpec: { Args: ['a', 'b'] } } },
    ],
    [
      'ports by what they publish',
      'ports: ["80:80", "81:81"]',
      'ports: ["80:8080"]',
      {
        EndpointSpec: {
          Ports: [
            { TargetPort: 8080, PublishedPort: 80 },
            { TargetPort: 81, PublishedPort: 81 },
          ],
        },
      },
    ],
    [
      'one protocol of a port is left, also where the other file has none',
      'ports: ["53:53/tcp", "53:53/udp"]',
      'labels: {a: b}',
      { EndpointSpec: { Ports: [{ Protocol: 'udp', PublishedPort: 53 }] } },
      [lostBase],
    ],
    [
      'one port that nobody publishes is left',
      'ports: [9000, 9001]',
      'ports: [9002]',
      { EndpointSpec: { Ports: [{ TargetPort: 9002 }] } },
      [lostBase, lostBase],
    ],
    [
      'ports of the later file alone are as they are',
      '',
      'ports: ["53:53/tcp", "53:53/udp"]',
      { EndpointSpec: { Ports: [{ Protocol: 'tcp' }, { Protocol: 'udp' }] } },
    ],
    [
      'volumes by target, sorted',
      'volumes: ["data:/z:ro", "/h:/h", "data:/a"]',
      'volumes: [{type: volume, source: other, target: /z}]',
      {
        TaskTemplate: {
          ContainerSpec: {
            Mounts: [{ Target: '/a' }, { Target: '/h' }, { Target: '/z', Source: 'blog_other' }],
          },
        },
      },
    ],
    [
      'sorted where the other file has none',
      'volumes: ["data:/z", "data:/a"]',
      '',
      { TaskTemplate: { ContainerSpec: { Mounts: [{ Target: '/a' }, { Target: '/z' }] } } },
    ],
    [
      'configs and secrets by source, whole',
      'configs: [{source: c, target: /x, mode: 0400, uid: "7"}, d], secrets: [c]',
      'configs: [{source: c, target: /y}], secrets: [{source: c, target: moved}]',
      {
        TaskTemplate: {
          ContainerSpec: {
            Configs: [{ File: { Name: '/y', UID: '0', Mode: 0o444 } }, { File: { Name: 'd' } }],
            Secrets: [{ File: { Name: 'moved' } }],
          },
        },
      },
    ],
    [
      'networks of both',
      'networks: [n]',
      'networks: {n: {aliases: [al]}, m: {}}',
      {
        TaskTemplate: {
          Networks: [
            { Target: 'blog_m', Aliases: ['web'] },
            { Target: 'blog_n', Aliases: ['al', 'web'] },
          ],
        },
      },
    ],
    [
      'aliases are replaced, also by none',
      'networks: {n: {aliases: [a], driver_opts: {x: y}}}',
      'networks: {n: {}}',
      {
        TaskTemplate: {
          Networks: [{ Target: 'blog_n', Aliases: ['web'], DriverOpts: { x: 'y' } }],
        },
      },
    ],
    [
      'but not by a network that is only named',
      'networks: {n: {aliases: [a]}}',
      'networks: [n]',
      { TaskTemplate: { Networks: [{ Aliases: ['a', 'web'] }] } },
    ],
    [
      'options of the first file stay',
      'networks: {n: {driver_opts: {x: y}}}',
      'networks: {n: {driver_opts: {x: z}}}',
      { TaskTemplate: { Networks: [{ DriverOpts: { x: 'y' } }] } },
      [lostOver],
    ],
  ])('%s', (_, base, over, expected, losses = []) => {
    const { spec, lost } = web(base, over, { 'stacks/blog/e': 'A=file\n' });
    expect(spec).toMatchObject(expected);
    expect(lost).toEqual(losses);
  });

  it.each([
    ['logging: {driver: syslog, options: {a: x}}', 'logging: {driver: gelf}', { Name: 'gelf' }],
    ['logging: {driver: syslog}', 'logging: {options: {a: y}}', { Name: 'syslog' }],
    ['logging: {options: {a: x}}', 'logging: {}', { Options: { a: 'x' } }],
    ['logging: {}', 'logging: {driver: gelf}', { Name: 'gelf' }],
  ])('logging, and nothing else of it: %s and %s', (base, over, driver) => {
    expect(web(base, over).spec.TaskTemplate.LogDriver).toStrictEqual(driver);
  });

  it('a mount that a later file replaces is not read-only any more', () => {
    const { spec } = web('volumes: ["data:/z:ro"]', 'volumes: ["other:/z"]');
    expect(spec.TaskTemplate.ContainerSpec.Mounts?.[0]).not.toHaveProperty('ReadOnly');
  });

  it('takes entries of the top level whole, and services of one file as they are', () => {
    const { result, diagnostics } = merge(
      'services: {a: {image: x, networks: [n, m]}}\nnetworks: {n: {attachable: true, labels: {a: b}}, m: {internal: true}}\n',
      'services: {b: {image: y, ports: ["1:1/tcp", "1:1/udp"]}}\nnetworks: {n: {internal: true}, m: }\n',
    );
    expect(diagnostics).toEqual([]);
    expect(result?.networks['n']).toMatchObject({ Internal: true, Attachable: false });
    expect(result?.networks['m']).toMatchObject({ Internal: false });
    expect(Object.keys(result?.services ?? {})).toEqual(['a', 'b']);
    expect(result?.services['b']?.EndpointSpec?.Ports).toHaveLength(2);
  });

  it('merges a third file over the first two', () => {
    const text = (image: string) => `services: {web: {image: "${image}"}}\n`;
    const { result } = renderCompose({
      ...input(text('nginx:1')),
      over: ['nginx:2', 'nginx:3'].map((image, at) => ({ file: `over${at}`, text: text(image) })),
    });
    expect(result?.services['web']?.TaskTemplate.ContainerSpec.Image).toBe('nginx:3');
  });

  it('paths begin at the first file, also those of a file in another folder', () => {
    const base = {
      ...input('services: {web: {image: x}}\n', { files: { 'stacks/blog/e': 'A=1\n' } }),
    };
    const over = [{ file: 'stacks/blog/deep/over.yaml', text: 'services: {web: {env_file: e}}\n' }];
    const { result, diagnostics } = renderCompose({ ...base, over });
    expect(diagnostics).toEqual([]);
    expect(result?.services['web']?.TaskTemplate.ContainerSpec.Env).toEqual(['A=1']);
  });
});

describe('a mistake is shown where it stands', () => {
  const base = 'services:\n  web:\n    image: nginx\n    networks: [n]\nnetworks:\n  n:\n';
  it.each<[string, string, string, string]>([
    ['of the schema', base, 'services:\n  web:\n    imagee: x\n', `unknown-key ${OVER}:3:5`],
    [
      'of a value',
      base,
      'services:\n  web:\n    stop_grace_period: soon\n',
      `wrong-value ${OVER}:3:24`,
    ],
    [
      'in a list',
      base,
      'services:\n  web:\n    ports:\n      - "80:80"\n      - "x:1"\n',
      `wrong-value ${OVER}:5:9`,
    ],
    [
      'twice in one list, though it is appended to another',
      `services: {web: {image: x, dns: ["1"]}}\n`,
      'services:\n  web:\n    dns:\n      - "1"\n      - "1"\n',
      `conflict ${OVER}:5:9`,
    ],
    [
      'twice in a list of one file only',
      `services: {web: {image: x}}\n`,
      'services:\n  web:\n    cap_add:\n      - KILL\n      - KILL\n',
      `conflict ${OVER}:5:9`,
    ],
    [
      'of credentials that exclude each other',
      `services: {web: {image: x, credential_spec: {file: a}}}\n`,
      'services:\n  web:\n    credential_spec:\n      registry: b\n',
      `conflict ${OVER}:4:17`,
    ],
    [
      'of `restart`',
      `services: {web: {image: x, restart: always}}\n`,
      'services:\n  web:\n    restart: never\n',
      `wrong-value ${OVER}:3:14`,
    ],
    [
      'after sorting',
      `services: {web: {image: x, volumes: [dd:/m]}}\nvolumes: {dd: }\n`,
      'services:\n  web:\n    volumes:\n      - dd:/z\n      - ee:/a\n',
      `undefined-volume ${OVER}:5:9`,
    ],
    [
      'against the other file',
      base,
      'services:\n  web:\n    networks: [m]\n',
      `undefined-network ${OVER}:3:16`,
    ],
    [
      'of a variable',
      base,
      'services:\n  web:\n    environment:\n      - A=$A\n',
      `undefined-variable ${OVER}:4:9`,
    ],
    [
      'of a variable without a value',
      base,
      'services:\n  web:\n    environment:\n      A:\n',
      `undefined-variable ${OVER}:4:7`,
    ],
    ['of a file', base, 'services:\n  web:\n    env_file: gone\n', `missing-file ${OVER}:3:15`],
    [
      'in the first file',
      `${base}configs: {c: {file: gone}}\n`,
      'services:\n  web:\n    stop_grace_period: 3s\n',
      'missing-file stacks/blog/compose.yaml:7:21',
    ],
    [
      'no image in either',
      'services:\n  web:\n    command: a\n',
      'services:\n  web:\n    command: b\n',
      'missing-image stacks/blog/compose.yaml:2:3',
    ],
    [
      'a new service without an image',
      base,
      'services:\n  shop:\n    command: b\n',
      `missing-image ${OVER}:2:3`,
    ],
    ['only a version', base, 'version: "3.8"\n', `missing-key ${OVER}:1:1`],
    ['nothing at all', base, '# nothing\n', `missing-document ${OVER}:1:1`],
    ['no YAML', base, 'a: [\n', `syntax ${OVER}:2:1`],
    ['two documents', base, `${base}---\n${base}`, `conflict ${OVER}:8:1`],
    [
      'a version of its own',
      base,
      'version: "3.0"\nconfigs: {c: {file: x}}\nservices: {web: {configs: [c]}}\n',
      `conflict ${OVER}:2:1`,
    ],
  ])('%s', (_, first, over, expected) => {
    const { result, diagnostics } = merge(first, over, { 'stacks/blog/x': 'x' });
    expect(result).toBeUndefined();
    const shown = diagnostics.map(
      ({ code, place }) => `${code} ${place?.file ?? ''}:${place?.line ?? 0}:${place?.column ?? 0}`,
    );
    expect(shown).toContain(expected);
  });

  it('once', () => {
    const { diagnostics } = merge(
      base,
      'services:\n  web:\n    environment: [A=$A]\n    env_file: [gone]\n',
    );
    expect(diagnostics.map(({ code }) => code).toSorted()).toEqual([
      'missing-file',
      'undefined-variable',
    ]);
  });

  it('of a policy, whichever file breaks it', () => {
    const text = (source: string) =>
      `services:\n  web:\n    image: x\n    volumes: ["${source}:/h"]\n`;
    const given = input(text('/etc'));
    const { diagnostics } = renderCompose({
      ...given,
      over: [{ file: OVER, text: text('/root') }],
    });
    // What a later file replaces is not sent.
    expect(diagnostics.map(({ code, place }) => `${code} ${place?.file ?? ''}`)).toEqual([
      `not-allowed ${OVER}`,
    ]);
  });
});

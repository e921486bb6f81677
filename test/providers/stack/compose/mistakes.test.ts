import { describe, expect, it } from 'vitest';

import { renderCompose } from '../../../../agent/providers/stack/compose/render.ts';
import { allowAll, input } from './inputs.ts';

/** `code path` of every diagnostic; warnings in brackets. */
function mistakes(text: string, given: Parameters<typeof input>[1] = {}): readonly string[] {
  const { result, diagnostics } = renderCompose(input(text, given));
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  expect(result === undefined).toBe(errors.length > 0);
  return diagnostics.map(({ severity, code, place }) =>
    severity === 'error' ? `${code} ${place?.path ?? ''}` : `(${code} ${place?.path ?? ''})`,
  );
}

const web = (...keys: string[]) =>
  `services:\n  web:\n    image: nginx\n${keys.map((key) => `    ${key}\n`).join('')}`;
const deploy = (flow: string) => web(`deploy: {${flow}}`);

describe('one mistake, one diagnostic, at its place', () => {
  it.each([
    ['an empty file', '', 'missing-document '],
    ['nothing but a comment', '# nothing\n', 'missing-document '],
    ['a list', '- a\n', 'wrong-type '],
    ['no services', 'version: "3.8"\n', 'missing-key '],
    ['empty services', 'services:\n', 'wrong-type services'],
    ['no image', 'services: {web: {command: x}}', 'missing-image services.web'],
    ['an empty image', 'services: {web: {image: ""}}', 'missing-image services.web'],
    [
      'an image that is none',
      'services: {web: {image: Nginx}}',
      'image-reference services.web.image',
    ],
    ['a misspelt image', 'services: {web: {imge: nginx}}', 'unknown-key services.web.imge'],
    ['a misspelt key', web('comand: x'), 'unknown-key services.web.comand'],
    ['a key of no Compose file', web('bogus: x'), 'unknown-key services.web.bogus'],
    [
      'build without an image',
      'services: {web: {build: .}}',
      '(ignored-key services.web.build)+missing-image services.web',
    ],
    ['privileged', web('privileged: true'), '(ignored-key services.web.privileged)'],
    [
      'a flag of privileged',
      web('privileged: 1'),
      '(ignored-key services.web.privileged)+wrong-type services.web.privileged',
    ],
    ['include', `include: [a.yaml]\n${web()}`, 'unsupported-key include'],
    ['version 2', `version: "2.4"\n${web()}`, 'wrong-value version'],
    ['a version as a number', `version: 3.8\n${web()}`, 'wrong-type version'],
    ['a version by variable', `version: "\${V:-3.8}"\n${web()}`, 'wrong-value version'],
    [
      'a key that came later',
      `version: "3.0"\n${web('configs: [c]')}configs: {c: {external: true}}`,
      'conflict configs+conflict services.web.configs',
    ],
    [
      'a service name',
      'services: {"a b": {image: x}}',
      'wrong-name services["a b"]+wrong-name services["a b"]',
    ],
    ['a dot in a service name', 'services: {a.b: {image: x}}', 'wrong-name services["a.b"]'],
    [
      'a long service name',
      `services: {${'a'.repeat(59)}: {image: x}}`,
      `wrong-name services.${'a'.repeat(59)}`,
    ],
    ['a null service', 'services: {web: }', 'wrong-type services.web'],
    [
      'cpus as a number',
      deploy('resources: {limits: {cpus: 0.5}}'),
      'wrong-type services.web.deploy.resources.limits.cpus',
    ],
    [
      'cpus',
      deploy('resources: {limits: {cpus: "x"}}'),
      'wrong-value services.web.deploy.resources.limits.cpus',
    ],
    [
      'too few cpus',
      deploy('resources: {limits: {cpus: "0.0001"}}'),
      'wrong-value services.web.deploy.resources.limits.cpus',
    ],
    [
      'memory',
      deploy('resources: {limits: {memory: 100Mx}}'),
      'wrong-value services.web.deploy.resources.limits.memory',
    ],
    [
      'too little memory',
      deploy('resources: {reservations: {memory: 4095k}}'),
      'wrong-value services.web.deploy.resources.reservations.memory',
    ],
    [
      'an empty generic resource',
      deploy('resources: {reservations: {generic_resources: [{}]}}'),
      'missing-key services.web.deploy.resources.reservations.generic_resources[0]',
    ],
    ['replicas as text', deploy('replicas: "3"'), 'wrong-type services.web.deploy.replicas'],
    ['negative replicas', deploy('replicas: -1'), 'wrong-value services.web.deploy.replicas'],
    [
      'global with replicas',
      deploy('mode: global, replicas: 1'),
      'conflict services.web.deploy.replicas',
    ],
    ['a mode', deploy('mode: Global'), 'wrong-value services.web.deploy.mode'],
    [
      'a job with update_config',
      deploy('mode: replicated-job, update_config: {}'),
      'conflict services.web.deploy.update_config',
    ],
    [
      'a job with rollback_config',
      deploy('mode: global-job, rollback_config: {}'),
      '(ignored-key services.web.deploy.rollback_config)',
    ],
    [
      'a failure action',
      deploy('update_config: {failure_action: stop}'),
      'wrong-value services.web.deploy.update_config.failure_action',
    ],
    [
      'rolling back a rollback',
      deploy('rollback_config: {failure_action: rollback}'),
      'wrong-value services.web.deploy.rollback_config.failure_action',
    ],
    [
      'an order',
      deploy('update_config: {order: first}'),
      'wrong-value services.web.deploy.update_config.order',
    ],
    [
      'a ratio',
      deploy('update_config: {max_failure_ratio: 1.5}'),
      'wrong-value services.web.deploy.update_config.max_failure_ratio',
    ],
    [
      'a negative delay',
      deploy('update_config: {delay: -1s}'),
      'wrong-value services.web.deploy.update_config.delay',
    ],
    [
      'a negative restart delay',
      deploy('restart_policy: {delay: -1s}'),
      'wrong-value services.web.deploy.restart_policy.delay',
    ],
    [
      'a restart condition',
      deploy('restart_policy: {condition: unless-stopped}'),
      'wrong-value services.web.deploy.restart_policy.condition',
    ],
    [
      'a constraint',
      deploy('placement: {constraints: [node.role = manager]}'),
      'wrong-value services.web.deploy.placement.constraints[0]',
    ],
    [
      'a constraint as a map',
      deploy('placement: {constraints: [{a: b}]}'),
      'wrong-type services.web.deploy.placement.constraints[0]',
    ],
    [
      'an endpoint mode',
      deploy('endpoint_mode: dns'),
      'wrong-value services.web.deploy.endpoint_mode',
    ],
    [
      'dnsrr with a port',
      `${web('ports: ["80:80"]')}    deploy: {endpoint_mode: DNSRR}\n`,
      'conflict services.web.ports[0]',
    ],
    [
      'a duration as a number',
      web('stop_grace_period: 10'),
      'wrong-type services.web.stop_grace_period',
    ],
    [
      'a duration without unit',
      web('stop_grace_period: "10"'),
      'wrong-value services.web.stop_grace_period',
    ],
    [
      'a healthcheck below 1ms',
      web('healthcheck: {interval: 10us}'),
      'wrong-value services.web.healthcheck.interval',
    ],
    [
      'test and disable',
      web('healthcheck: {test: x, disable: true}'),
      'conflict services.web.healthcheck.test',
    ],
    [
      'negative retries',
      web('healthcheck: {retries: -1}'),
      'wrong-value services.web.healthcheck.retries',
    ],
    ['a command line', web(`command: "a 'b"`), 'wrong-value services.web.command'],
    ['a null command', web('command:'), 'wrong-type services.web.command'],
    ['a boolean variable', web('environment: {A: true}'), 'wrong-type services.web.environment.A'],
    [
      'a variable without value',
      web('environment: [A]'),
      'undefined-variable services.web.environment[0]',
    ],
    ['a null variable', web('environment: {A: }'), 'undefined-variable services.web.environment.A'],
    ['a variable twice', web('environment: [A=1, A=1]'), 'conflict services.web.environment[1]'],
    ['an undefined variable', web('command: echo ${X}'), 'undefined-variable services.web.command'],
    [
      'a required variable',
      web('command: echo ${X:?no}'),
      'undefined-variable services.web.command',
    ],
    ['a lone dollar', web('command: echo $'), 'interpolation services.web.command'],
    ['a dollar in x-', `x-a: $\n${web()}`, 'interpolation x-a'],
    ['a cast', deploy('replicas: "${N}"'), 'wrong-type services.web.deploy.replicas'],
    ['a missing env_file', web('env_file: a.env'), 'missing-file services.web.env_file'],
    [
      'an env_file outside',
      web('env_file: [../../../a.env]'),
      'path-outside services.web.env_file[0]',
    ],
    ['an absolute env_file', web('env_file: /etc/passwd'), 'path-outside services.web.env_file'],
    ['a bad env_file', web('env_file: bad.env'), 'syntax '],
    ['an env_file name without value', web('env_file: bare.env'), 'undefined-variable '],
    ['port 0', web('ports: ["0"]'), 'wrong-value services.web.ports[0]'],
    ['a drive', web('volumes: ["v:/data"]'), 'wrong-value services.web.volumes[0]'],
    ['no number', web('labels: {a: .inf}'), 'wrong-value services.web.labels.a'],
    ['a port', web('ports: ["80:x"]'), 'wrong-value services.web.ports[0]'],
    [
      'a port range',
      web('ports: [{target: 80, published: 70000}]'),
      'wrong-value services.web.ports[0].published',
    ],
    [
      'a port as text',
      web('ports: [{target: 80, published: "8080"}]'),
      'wrong-type services.web.ports[0].published',
    ],
    ['a port without target', web('ports: [{published: 80}]'), 'missing-key services.web.ports[0]'],
    [
      'a port protocol',
      web('ports: [{target: 80, protocol: icmp}]'),
      'wrong-value services.web.ports[0].protocol',
    ],
    [
      'a port mode',
      web('ports: [{target: 80, mode: vip}]'),
      'wrong-value services.web.ports[0].mode',
    ],
    [
      'a port twice in one service',
      web('ports: ["80:80", "80:81"]'),
      'conflict services.web.ports[1]',
    ],
    ['equal ports', web('ports: [80, 80]'), 'conflict services.web.ports[1]'],
    ['too many ports', web('ports: ["1-5000"]'), 'too-large services.web.ports[0]'],
    ['an address', web('ports: ["127.0.0.1:80:80"]'), '(ignored-key services.web.ports[0])'],
    [
      'a port in two services',
      'services: {a: {image: x, ports: ["80:1"]}, b: {image: x, ports: [{target: 2, published: 80, mode: host}]}}',
      'conflict services.b.ports[0]',
    ],
    [
      'host ports in two services',
      'services: {a: {image: x, ports: [{target: 1, published: 80, mode: host}]}, b: {image: x, ports: [{target: 2, published: 80, mode: host}]}}',
      '',
    ],
    ['tcp and udp', 'services: {a: {image: x, ports: ["53:53", "53:53/udp"]}}', ''],
    [
      'an undeclared volume',
      web('volumes: ["data:/d"]'),
      'undefined-volume services.web.volumes[0]',
    ],
    [
      'a volume twice at one place',
      `${web('volumes: ["data:/d", {type: tmpfs, target: /d}]')}volumes: {data: }`,
      'conflict services.web.volumes[1]',
    ],
    [
      'a volume type',
      web('volumes: [{type: foo, target: /d}]'),
      'wrong-value services.web.volumes[0].type',
    ],
    [
      'a volume without type',
      web('volumes: [{target: /d}]'),
      'missing-key services.web.volumes[0]',
    ],
    [
      'a volume without target',
      web('volumes: [{type: tmpfs}]'),
      'missing-key services.web.volumes[0]',
    ],
    [
      'a bind without source',
      web('volumes: [{type: bind, target: /d}]'),
      'missing-key services.web.volumes[0]',
    ],
    [
      'a propagation',
      web('volumes: [{type: bind, source: /s, target: /d, bind: {propagation: x}}]'),
      'wrong-value services.web.volumes[0].bind.propagation',
    ],
    ['nocopy on a bind', web('volumes: ["/s:/d:nocopy"]'), 'conflict services.web.volumes[0]'],
    [
      'a tmpfs with a source',
      web('volumes: [{type: tmpfs, source: a, target: /d}]'),
      'conflict services.web.volumes[0].source',
    ],
    [
      'an option without effect',
      web('volumes: ["/s:/d:z"]'),
      '(ignored-key services.web.volumes[0])',
    ],
    [
      'a part of a volume, which the engine drops',
      `${web('volumes: [{type: volume, source: v, target: /d, volume: {subpath: s}}]')}volumes: {v: }`,
      '(ignored-key services.web.volumes[0].volume.subpath)',
    ],
    [
      'a consistency, which the engine drops',
      web('volumes: [{type: bind, source: /s, target: /d, consistency: cached}]'),
      '(ignored-key services.web.volumes[0].consistency)',
    ],
    [
      'a start interval, which the engine drops',
      web('healthcheck: {test: x, start_interval: 1s}'),
      '(ignored-key services.web.healthcheck.start_interval)',
    ],
    [
      'the network of published ports',
      `${web('networks: [n]')}networks: {n: {external: true, name: ingress}}`,
      'wrong-value services.web.networks[0]',
    ],
    [
      'the network of published ports by its key',
      `${web('networks: {ingress: {aliases: [a]}}')}networks: {ingress: {external: true}}`,
      'wrong-value services.web.networks.ingress',
    ],
    [
      'the network of published ports under a name',
      `${web('networks: [n]')}networks: {n: {name: ingress}}`,
      'wrong-value services.web.networks[0]',
    ],
    ...['none', 'default'].map((name): [string, string, string] => [
      `the network \`${name}\` of the engine`,
      `${web('networks: [n]')}networks: {n: {external: true, name: ${name}}}`,
      'wrong-value services.web.networks[0]',
    ]),
    [
      'create_host_path',
      web('volumes: [{type: bind, source: /s, target: /d, bind: {create_host_path: true}}]'),
      '(ignored-key services.web.volumes[0].bind.create_host_path)',
    ],
    [
      'an external volume with a driver',
      `${web()}volumes: {v: {external: true, driver: local}}`,
      'conflict volumes.v.driver',
    ],
    ['an undeclared network', web('networks: [n]'), 'undefined-network services.web.networks[0]'],
    [
      'a network that is almost declared',
      `${web('networks: [frontend]')}networks: {fronted: }`,
      'undefined-network services.web.networks[0]',
    ],
    [
      'a network twice',
      `${web('networks: [n, n]')}networks: {n: }`,
      'conflict services.web.networks[1]',
    ],
    [
      'a bridge',
      `${web('networks: [n]')}networks: {n: {driver: bridge}}`,
      'wrong-value networks.n.driver',
    ],
    [
      'a network of the engine',
      `${web('networks: [n]')}networks: {n: {name: bridge}}`,
      'name-conflict networks.n.name',
    ],
    [
      'a network name',
      `${web('networks: [n]')}networks: {n: {name: a.b}}`,
      'wrong-name networks.n.name',
    ],
    [
      'two names of an external network',
      `${web('networks: [n]')}networks: {n: {name: a, external: {name: b}}}`,
      'conflict networks.n.external',
    ],
    [
      'an external network with a driver',
      `${web('networks: [n]')}networks: {n: {external: true, driver: overlay}}`,
      '(ignored-key networks.n.driver)',
    ],
    [
      'an address of a task',
      `${web('networks: {n: {ipv4_address: 10.0.0.2}}')}networks: {n: }`,
      '(ignored-key services.web.networks.n.ipv4_address)',
    ],
    ['an undeclared config', web('configs: [c]'), 'undefined-config services.web.configs[0]'],
    [
      'an undeclared secret',
      web('secrets: [{source: s}]'),
      'undefined-secret services.web.secrets[0].source',
    ],
    [
      'a secret twice',
      `${web('secrets: [s, s]')}secrets: {s: {external: true}}`,
      'conflict services.web.secrets[1]',
    ],
    [
      'a key of a secret',
      `${web('secrets: [{source: s, taget: x}]')}secrets: {s: {external: true}}`,
      'unknown-key services.web.secrets[0].taget',
    ],
    ['a config without file', `${web()}configs: {c: {labels: {a: b}}}`, 'missing-key configs.c'],
    ['a null config', `${web()}configs: {c: }`, 'wrong-type configs.c'],
    [
      'a config that is missing',
      `${web()}configs: {c: {file: nope}}`,
      'missing-file configs.c.file',
    ],
    [
      'a config outside',
      `${web()}configs: {c: {file: ../../../etc/passwd}}`,
      'path-outside configs.c.file',
    ],
    [
      'an absolute secret',
      `${web()}secrets: {s: {file: /run/secrets/x}}`,
      'path-outside secrets.s.file',
    ],
    ['an empty config', `${web()}configs: {c: {file: empty}}`, 'wrong-value configs.c.file'],
    [
      'a config that is too large',
      `${web()}configs: {c: {file: million}}`,
      'too-large configs.c.file',
    ],
    [
      'a secret that is too large',
      `${web()}secrets: {s: {file: half}}`,
      'too-large secrets.s.file',
    ],
    ['a config as large as it can be', `${web()}configs: {c: {file: largest}}`, ''],
    ['a config name', `${web()}configs: {c: {file: ok, name: "-x"}}`, 'wrong-name configs.c.name'],
    [
      'two configs with one name',
      `${web()}configs: {a: {file: ok, name: x}, b: {file: ok, name: X}}`,
      'name-conflict configs.b',
    ],
    [
      'a template driver',
      `${web()}configs: {c: {file: ok, template_driver: jinja}}`,
      'wrong-value configs.c.template_driver',
    ],
    [
      'a secret by environment',
      `${web()}secrets: {s: {environment: HOME}}`,
      'unsupported-key secrets.s.environment',
    ],
    [
      'content of a config',
      `${web()}configs: {c: {content: x}}`,
      'unsupported-key configs.c.content',
    ],
    ['two documents', `${web()}---\n${web()}`, 'conflict '],
    ['a name from another world', web('environment: {__proto__: x}'), 'key-type '],
  ])('%s', (_, text, expected) => {
    const files = {
      'stacks/blog/bad.env': 'export A=1',
      'stacks/blog/bare.env': 'A',
      'stacks/blog/empty': '',
      'stacks/blog/ok': 'x',
      'stacks/blog/half': 'x'.repeat(512_000),
      'stacks/blog/largest': 'x'.repeat(1_023_999),
      'stacks/blog/million': 'x'.repeat(1_024_000),
    };
    const allow = { ...allowAll, undefinedVariables: false };
    const found = mistakes(text, { files, allow, variables: { N: 'many' } });
    // Two that belong together are written with a plus.
    expect(found.join('+')).toBe(expected);
  });
});

it('tells every mistake of a file at once, whatever stage finds it', () => {
  const text = `services:
  web:
    image: Nginx
    ports: ["80:80", {target: x}, "90:x"]
    volumes: [data:/d]
    deploy: {replicas: "3", mode: foo}
  api:
    image: api
    bogus: 1
    command: \${X}
    networks: [n]
volumes:
  data: {driver: 5}
`;
  expect(mistakes(text).toSorted()).toEqual(
    [
      'image-reference services.web.image',
      'undefined-network services.api.networks[0]',
      'undefined-variable services.api.command',
      'unknown-key services.api.bogus',
      'wrong-type services.web.deploy.replicas',
      'wrong-type services.web.ports[1].target',
      'wrong-type volumes.data.driver',
      'wrong-value services.web.deploy.mode',
      'wrong-value services.web.ports[2]',
    ].toSorted(),
  );
});

it('tells a mistake that several services share through an anchor once', () => {
  const text =
    'x-e: &e {A: "${NOPE}"}\nservices:\n  a: {image: x, environment: *e}\n  b: {image: x, environment: *e}\n';
  expect(mistakes(text)).toHaveLength(1);
});

it('reads no variable but the given ones', () => {
  expect(mistakes(web('command: echo $PATH $HOME ${toString}'))).toHaveLength(3);
});

import { describe, expect, it } from 'vitest';

import { renderCompose } from '../../../../agent/providers/stack/compose/render.ts';
import type { TaskTemplate } from '../../../../agent/providers/stack/engine-api.ts';
import { allowAll, denyAll, input } from './inputs.ts';

const web = (body: string, rest = '') =>
  `services:\n  web:\n    image: nginx\n    ${body}\n${rest}`;

function rendered(text: string, given: Parameters<typeof input>[1] = {}) {
  return renderCompose(input(text, { allow: allowAll, ...given }));
}

function taskOf(text: string, given: Parameters<typeof input>[1] = {}): TaskTemplate {
  const { result, diagnostics } = rendered(text, given);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const task = result?.services['web']?.TaskTemplate;
  if (task === undefined) throw new Error('no task');
  return task;
}

/** `code path`; warnings in brackets. */
function notesOf(text: string, given: Parameters<typeof input>[1] = {}): readonly string[] {
  return rendered(text, given).diagnostics.map(({ severity, code, place }) => {
    const note = `${code} ${place?.path ?? ''}`;
    return severity === 'warning' ? `(${note})` : note;
  });
}

describe('what a container is given', () => {
  it.each<[string, string, unknown]>([
    ['hostname: h1', 'Hostname', 'h1'],
    ['hostname: ""', 'Hostname', undefined],
    ['user: "1000:0"', 'User', '1000:0'],
    ['user: ""', 'User', undefined],
    ['working_dir: /w', 'Dir', '/w'],
    ['stop_signal: SIGINT', 'StopSignal', 'SIGINT'],
    ['init: true', 'Init', true],
    ['init: false', 'Init', false],
    ['tty: true', 'TTY', true],
    ['tty: false', 'TTY', undefined],
    ['stdin_open: true', 'OpenStdin', true],
    ['stdin_open: false', 'OpenStdin', undefined],
    ['read_only: true', 'ReadOnly', true],
    ['read_only: false', 'ReadOnly', undefined],
    ['isolation: hyperv', 'Isolation', 'hyperv'],
    ['dns: 1.1.1.1', 'DNSConfig', { Nameservers: ['1.1.1.1'] }],
    ['dns: [2.2.2.2, 1.1.1.1]', 'DNSConfig', { Nameservers: ['2.2.2.2', '1.1.1.1'] }],
    ['dns_search: b.example', 'DNSConfig', { Search: ['b.example'] }],
    ['dns: []', 'DNSConfig', {}],
    ['dns_search: []', 'DNSConfig', {}],
    ['sysctls: {a.b: 1024, c.d: }', 'Sysctls', { 'a.b': '1024', 'c.d': '' }],
    ['sysctls: [a.b=1=2, c.d]', 'Sysctls', { 'a.b': '1=2', 'c.d': '' }],
    ['sysctls: {}', 'Sysctls', undefined],
    ['extra_hosts: ["z:1.1.1.1", "a=2.2.2.2"]', 'Hosts', ['1.1.1.1 z', '2.2.2.2 a']],
    ['extra_hosts: {z: 1.1.1.1, a: 2.2.2.2, n: }', 'Hosts', ['2.2.2.2 a', '1.1.1.1 z']],
    ['extra_hosts: {"a-b": 1.1.1.1, a: 2.2.2.2}', 'Hosts', ['1.1.1.1 a-b', '2.2.2.2 a']],
    ['extra_hosts: ["v6:[::1]", "v7=::2", "v8=[::3]"]', 'Hosts', ['::1 v6', '::2 v7', '::3 v8']],
    ['extra_hosts: ["h:host-gateway"]', 'Hosts', ['host-gateway h']],
    ['extra_hosts: []', 'Hosts', undefined],
    ['cap_add: [net_admin, CAP_SYS_TIME]', 'CapabilityAdd', ['CAP_NET_ADMIN', 'CAP_SYS_TIME']],
    ['cap_add: [z, a]', 'CapabilityAdd', ['CAP_A', 'CAP_Z']],
    ['cap_add: [kill, KILL, " cap_kill "]', 'CapabilityAdd', ['CAP_KILL']],
    ['cap_add: [NET_ADMIN, all]', 'CapabilityAdd', ['ALL']],
    ['cap_add: [RESET]', 'CapabilityAdd', undefined],
    ['cap_drop: [CHOWN, ALL]', 'CapabilityDrop', ['ALL']],
    ['cap_drop: [RESET, CHOWN]', 'CapabilityDrop', ['CAP_CHOWN']],
    [
      'ulimits: {nproc: 5, nofile: {soft: 1, hard: -1}, core: 0}',
      'Ulimits',
      [
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'nofile', Soft: 1, Hard: -1 },
        { Name: 'nproc', Soft: 5, Hard: 5 },
      ],
    ],
    ['ulimits: {}', 'Ulimits', undefined],
  ])('%s', (line, field, value) => {
    expect(taskOf(web(line)).ContainerSpec[field]).toStrictEqual(value);
  });

  it.each([
    ['cap_add: [KILL]\n    cap_drop: [CHOWN, kill]', ['CAP_KILL'], ['CAP_CHOWN']],
    ['cap_add: [ALL]\n    cap_drop: [ALL]', ['ALL'], undefined],
    ['cap_add: [ALL]\n    cap_drop: [CHOWN]', ['ALL'], ['CAP_CHOWN']],
    ['cap_add: [KILL]\n    cap_drop: [ALL]', ['CAP_KILL'], ['ALL']],
  ])('what is added is not dropped: %s', (lines, added, dropped) => {
    const { CapabilityAdd, CapabilityDrop } = taskOf(web(lines)).ContainerSpec;
    expect([CapabilityAdd, CapabilityDrop]).toEqual([added, dropped]);
  });

  it('sends none of it where the file says none of it', () => {
    const task = taskOf(web('command: x'));
    expect(Object.keys(task.ContainerSpec).toSorted()).toEqual(
      ['Args', 'Image', 'Labels', 'Privileges'].toSorted(),
    );
    expect(Object.keys(task)).not.toContain('LogDriver');
    expect(Object.keys(task)).not.toContain('RestartPolicy');
  });

  it.each([
    ['tty: "$V"', 'yes', 'TTY', true],
    ['stdin_open: "$V"', 'on', 'OpenStdin', true],
    ['read_only: "$V"', 'true', 'ReadOnly', true],
    ['ulimits: {core: "$V"}', '7', 'Ulimits', [{ Name: 'core', Soft: 7, Hard: 7 }]],
    [
      'ulimits: {core: {soft: "$V", hard: "$V"}}',
      '7',
      'Ulimits',
      [{ Name: 'core', Soft: 7, Hard: 7 }],
    ],
  ])('%s of a variable', (line, V, field, value) => {
    expect(taskOf(web(line), { variables: { V } }).ContainerSpec[field]).toStrictEqual(value);
  });
});

describe('logging', () => {
  it.each([
    ['logging: {}', {}],
    ['logging: {options: {}}', {}],
    ['logging: {driver: none}', { Name: 'none' }],
    ['logging: {options: {n: 5, e: , t: x}}', { Options: { n: '5', e: '', t: 'x' } }],
    [
      'logging: {driver: json-file, options: {max-size: 1m}}',
      { Name: 'json-file', Options: { 'max-size': '1m' } },
    ],
  ])('%s', (line, driver) => expect(taskOf(web(line)).LogDriver).toStrictEqual(driver));
});

describe('restart', () => {
  it.each([
    ['no', undefined],
    ['"no"', undefined],
    ['""', undefined],
    ['no:3', undefined],
    ['always', { Condition: 'any' }],
    ['always:3', { Condition: 'any' }],
    ['unless-stopped', { Condition: 'any' }],
    ['on-failure', { Condition: 'on-failure', MaxAttempts: 0 }],
    ['"on-failure:"', { Condition: 'on-failure', MaxAttempts: 0 }],
    ['on-failure:4', { Condition: 'on-failure', MaxAttempts: 4 }],
    ['on-failure:+4', { Condition: 'on-failure', MaxAttempts: 4 }],
  ])('%s', (word, policy) => {
    expect(taskOf(web(`restart: ${word}`)).RestartPolicy).toStrictEqual(policy);
  });

  it('counts for nothing beside a policy, also an empty one', () => {
    const text = web('restart: sometimes\n    deploy: {restart_policy: {}}');
    expect(taskOf(text).RestartPolicy).toStrictEqual({});
    expect(notesOf(text)).toEqual(['(ignored-key services.web.restart)']);
  });
});

describe('credentials', () => {
  const configs = 'configs: {c: {file: c}, b: {file: b}, d: {external: true, name: theirs}}\n';
  const files = { 'stacks/blog/c': 'x', 'stacks/blog/b': 'y' };

  it.each([
    ['{file: f.json}', { Config: '', File: 'f.json', Registry: '' }],
    ['{registry: r}', { Config: '', File: '', Registry: 'r' }],
    ['{config: c}', { Config: 'blog_c', File: '', Registry: '' }],
    ['{config: d}', { Config: 'theirs', File: '', Registry: '' }],
    ['{}', null],
    ['{file: ""}', null],
  ])('%s', (written, spec) => {
    const task = taskOf(web(`credential_spec: ${written}`, configs), { files });
    expect(task.ContainerSpec.Privileges).toStrictEqual({
      CredentialSpec: spec,
      SELinuxContext: null,
      NoNewPrivileges: false,
    });
  });

  it('have their config among those of the service, mounted nowhere', () => {
    const text = web('credential_spec: {config: c}\n    configs: [b, d]', configs);
    const { Configs } = taskOf(text, { files }).ContainerSpec;
    expect(
      Configs?.map(({ ConfigName, File, Runtime }) => [ConfigName, File?.Name, Runtime]),
    ).toEqual([
      ['blog_b', 'b', undefined],
      ['blog_c', undefined, {}],
      ['theirs', 'd', undefined],
    ]);
  });

  it('need a config of others to be there', () => {
    const text = web('credential_spec: {config: d}', configs);
    expect(rendered(text, { files }).result?.needs).toEqual(['config:theirs']);
  });
});

describe('secrets of a plugin', () => {
  const secretOf = (written: string) =>
    rendered(web('command: x', `secrets: {s: ${written}}\n`)).result?.secrets['s'];

  it.each([
    ['{driver: v}', { driver: { name: 'v' } }],
    ['{driver: v, driver_opts: {}}', { driver: { name: 'v' } }],
    [
      '{driver: v, driver_opts: {a: 1, b: x}, template_driver: golang}',
      { driver: { name: 'v', options: { a: '1', b: 'x' } }, templating: 'golang' },
    ],
  ])('%s', (written, secret) => {
    expect(secretOf(written)).toStrictEqual({
      name: 'blog_s',
      labels: { 'com.docker.stack.namespace': 'blog' },
      ...secret,
    });
  });
});

describe('mistakes', () => {
  const secrets = (written: string) => web('command: x', `secrets: {s: ${written}}\n`);
  const mount = (written: string) => web(`volumes: [{target: /t, ${written}}]`, 'volumes: {v: }\n');

  it.each([
    [web('cap_add: NET_ADMIN'), 'wrong-type services.web.cap_add'],
    [web('cap_add: [KILL, KILL]'), 'conflict services.web.cap_add[1]'],
    [web('cap_drop: [KILL, KILL]'), 'conflict services.web.cap_drop[1]'],
    [web('dns: [1.1.1.1, 1.1.1.1]'), 'conflict services.web.dns[1]'],
    [web('dns_search: [a, a]'), 'conflict services.web.dns_search[1]'],
    [web('extra_hosts: ["a:1", "a:1"]'), 'conflict services.web.extra_hosts[1]'],
    [web('sysctls: [a=1, a=1]'), 'conflict services.web.sysctls[1]'],
    [web('sysctls: {a: true}'), 'wrong-type services.web.sysctls.a'],
    [web('extra_hosts: ["a"]'), '(ignored-key services.web.extra_hosts[0])'],
    [web('hostname: 5'), 'wrong-type services.web.hostname'],
    [web('user: 1000'), 'wrong-type services.web.user'],
    [web('init: "true"'), 'wrong-type services.web.init'],
    [web('tty: yes'), 'wrong-type services.web.tty'],
    [web('isolation: vm'), '(ignored-key services.web.isolation)'],
    [web('oom_score_adj: 5'), '(ignored-key services.web.oom_score_adj)'],
    [web('ulimits: {core: {soft: 1}}'), 'missing-key services.web.ulimits.core'],
    [web('ulimits: {core: 1.5}'), 'wrong-type services.web.ulimits.core'],
    [web('ulimits: {memlock: 9223372036854775807}'), 'wrong-type services.web.ulimits.memlock'],
    [web('ulimits: {core: {soft: 1, hard: 1, x: 1}}'), 'unknown-key services.web.ulimits.core.x'],
    [web('logging: {driver: json-file, option: {}}'), 'unknown-key services.web.logging.option'],
    [web('logging: {options: {a: true}}'), 'wrong-type services.web.logging.options.a'],
    [web('restart: false'), 'wrong-type services.web.restart'],
    [web('restart: sometimes'), 'wrong-value services.web.restart'],
    [web('restart: on-failure:x'), 'wrong-value services.web.restart'],
    [web('restart: on-failure:-1'), 'wrong-value services.web.restart'],
    [web('restart: no:x'), 'wrong-value services.web.restart'],
    [
      web('credential_spec: {file: a, registry: b}'),
      'conflict services.web.credential_spec.registry',
    ],
    [
      web('credential_spec: {config: nope}'),
      'undefined-config services.web.credential_spec.config',
    ],
    [secrets('{driver: v, file: f}'), 'conflict secrets.s.file'],
    [secrets('{driver_opts: {a: b}, external: true}'), '(ignored-key secrets.s.driver_opts)'],
    [secrets('{driver_opts: {a: b}}'), '(ignored-key secrets.s.driver_opts) missing-key secrets.s'],
    [
      web('command: x', 'configs: {c: {driver: v, external: true}}\n'),
      'unknown-key configs.c.driver',
    ],
    [mount('type: cluster'), 'missing-key services.web.volumes[0]'],
    [mount('type: cluster, source: w'), 'undefined-volume services.web.volumes[0].source'],
    [mount('type: cluster, source: group:w'), ''],
    [
      mount('type: cluster, source: v, volume: {nocopy: true}'),
      'conflict services.web.volumes[0].volume',
    ],
    [
      mount('type: cluster, source: v, bind: {propagation: slave}'),
      'conflict services.web.volumes[0].bind',
    ],
    [mount('type: npipe'), 'missing-key services.web.volumes[0]'],
    [mount('type: npipe, source: p, bind: {propagation: slave}'), ''],
    [mount('type: npipe, source: p, tmpfs: {size: 1}'), 'conflict services.web.volumes[0].tmpfs'],
    [
      web('command: x', 'volumes: {v: {x-cluster-spec: {anything: [1]}}}\n'),
      '(ignored-key volumes.v.x-cluster-spec)',
    ],
    [web('x-cluster-spec: {}'), ''],
    [`version: "3.6"\n${web('init: true')}`, 'conflict services.web.init'],
    [`version: "3.4"\n${web('isolation: process')}`, 'conflict services.web.isolation'],
    [
      `version: "3.7"\n${web('credential_spec: {config: c}', 'configs: {c: {external: true}}\n')}`,
      'conflict services.web.credential_spec.config',
    ],
    [
      `version: "3.2"\n${web('credential_spec: {file: c}')}`,
      'conflict services.web.credential_spec',
    ],
    [
      `version: "3.7"\n${secrets('{driver: v, driver_opts: {a: b}}')}`,
      'conflict secrets.s.driver conflict secrets.s.driver_opts',
    ],
  ])('%j', (text, expected) => expect(notesOf(text).join(' ')).toBe(expected));
});

it.each(['9223372036854775807', '{soft: 1, hard: 9007199254740993}', '1e30'])(
  'the limit of a limit is told: %s',
  (limit) => {
    const [note] = rendered(web(`ulimits: {memlock: ${limit}}`)).diagnostics;
    expect(JSON.stringify(note)).toContain('at most 9007199254740991');
  },
);

describe('the policy', () => {
  const secret = web('command: x', 'secrets: {s: {driver: v}}\n');
  const mount = (written: string) => web(`volumes: [{target: /t, ${written}}]`, 'volumes: {v: }\n');
  const log = (options: string) => web(`logging: {driver: syslog, options: {${options}}}`);
  const address = log('syslog-address: "unix:///run/x.sock"');

  it.each<[string, object, string]>([
    [web('cap_add: [NET_ADMIN]'), {}, 'services.web.cap_add[0]'],
    [web('cap_add: [KILL, NET_ADMIN]'), { capabilities: ['KILL'] }, 'services.web.cap_add[1]'],
    [web('cap_add: [cap_kill]'), { capabilities: ['Kill'] }, ''],
    [web('cap_add: [KILL]'), { capabilities: ['CAP_KILL'] }, ''],
    [web('cap_add: [ALL]'), { capabilities: ['KILL'] }, 'services.web.cap_add[0]'],
    [web('cap_add: [ALL]'), { capabilities: ['all'] }, ''],
    [web('cap_add: [KILL]'), { capabilities: ['ALL'] }, ''],
    [web('cap_add: [SYS_ADMIN]'), { capabilities: ['SYS_*', 'SYS'] }, 'services.web.cap_add[0]'],
    [web('cap_add: [RESET]'), {}, ''],
    [web('cap_drop: [ALL]'), {}, ''],
    [web('sysctls: {net.a: 1}'), {}, 'services.web.sysctls["net.a"]'],
    [web('sysctls: ["net.b=1", "net.a=1"]'), { sysctls: ['net.b'] }, 'services.web.sysctls[1]'],
    [web('sysctls: {net.a: 1}'), { sysctls: ['net.*'] }, ''],
    [web('sysctls: {net.a: 1}'), { sysctls: ['*'] }, ''],
    [web('sysctls: {my.net.a: 1}'), { sysctls: ['net.*'] }, 'services.web.sysctls["my.net.a"]'],
    [web('sysctls: {net.ab: 1}'), { sysctls: ['net.a'] }, 'services.web.sysctls["net.ab"]'],
    [
      web('sysctls: {kernel.a: 1}'),
      { sysctls: ['net.*', '*.a'] },
      'services.web.sysctls["kernel.a"]',
    ],
    [web('logging: {driver: loki}'), {}, 'services.web.logging.driver'],
    [web('logging: {driver: loki}'), { plugins: true }, ''],
    ...['none', 'local', 'json-file', 'syslog', 'journald', 'gelf', 'fluentd']
      .concat(['awslogs', 'splunk', 'etwlogs', 'gcplogs', 'logentries'])
      .map((driver): [string, object, string] => [web(`logging: {driver: ${driver}}`), {}, '']),
    [log('syslog-address: "tcp://log:514"'), {}, ''],
    [address, {}, 'services.web.logging.options.syslog-address'],
    [address, { binds: ['/run'] }, ''],
    [log('a: "UNIXGRAM:///run/docker.sock"'), { binds: ['/'] }, 'services.web.logging.options.a'],
    [log('a: "unixgram:///run/docker.sock"'), { dockerSocket: true }, ''],
    ...[
      'unix:/var/run/docker.sock?x=://',
      'unix:/var/run/docker.sock#://',
      'unix:/var/run/docker.sock',
      'unix:var/run/docker.sock',
      'unix:////var/run/docker.sock',
      'unix:///srv/%2e%2e/var/run/docker.sock',
    ].map((value): [string, object, string] => [
      log(`a: "${value}"`),
      { binds: ['/'] },
      'services.web.logging.options.a',
    ]),
    ...['unix:/run/x?a', 'unix:/run/x#a', 'unixgram:///run/%78'].map(
      (value): [string, object, string] => [
        log(`a: "${value}"`),
        { binds: ['/'], dockerSocket: true, hostNetwork: true },
        'services.web.logging.options.a',
      ],
    ),
    [log('a: "unix:/run/x.sock"'), { binds: ['/run'] }, ''],
    ...[
      'tcp://127.0.0.1:514',
      'udp://127.9.9.9:1',
      'tcp://127.1:514',
      'tcp://2130706433:514',
      'tcp://%6cocalhost:514',
      'http://user:p@LOCALHOST:80/x',
      'https://a@b@localhost/',
      'tcp+tls://localhost.:1',
      'tcp://log.localhost:1',
      'tcp://ip6-localhost:1',
      'tcp://[::1]:1',
      'tcp://[0:0::1%lo]:1',
      'tcp://[::ffff:127.0.0.1]:1',
      'tcp://0.0.0.0:1',
      'tcp://[::]:1',
      'tcp://:514',
      ':514',
      '127.0.0.1:24224',
      'localhost',
      'localhost:24224',
      '::1',
      '//127.0.0.1',
    ].flatMap((value): [string, object, string][] => [
      [log(`a: "${value}"`), { binds: ['/'] }, 'services.web.logging.options.a'],
      [log(`a: "${value}"`), { hostNetwork: true }, ''],
    ]),
    ...[
      'tcp://10.0.0.1:514',
      'tcp://128.0.0.1:1',
      'tcp://[2001:db8::1]:1',
      'tcp://[::ffff:10.0.0.1]:1',
      'tcp://localhost.example.org:1',
      'http://log/127.0.0.1',
      '10m',
      '3',
      '0',
      'true',
      '',
      '{{.Name}}/{{.ID}}',
      'daemon',
      'a,b',
      '/etc/ca.pem',
    ].map((value): [string, object, string] => [log(`a: "${value}"`), {}, '']),
    [web('credential_spec: {file: x}'), {}, 'services.web.credential_spec'],
    [web('credential_spec: {file: x}'), { plugins: true }, ''],
    [secret, {}, 'secrets.s.driver'],
    [secret, { plugins: true }, ''],
    [mount('type: cluster, source: v'), {}, 'services.web.volumes[0].type'],
    [mount('type: cluster, source: v'), { plugins: true }, ''],
    [mount('type: npipe, source: p'), { binds: ['/'] }, 'services.web.volumes[0].source'],
    [mount('type: npipe, source: p'), { dockerSocket: true }, ''],
    [
      mount('type: volume, source: v, volume: {subpath: s}'),
      {},
      'services.web.volumes[0].volume.subpath',
    ],
    [mount('type: volume, source: v, volume: {subpath: s}'), { subpath: true }, ''],
    [mount('type: volume, source: v, volume: {subpath: ""}'), {}, ''],
  ])('%j with %j', (text, open, path) => {
    const { diagnostics } = rendered(text, { allow: { ...denyAll, ...open } });
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ code, place }) => [code, place?.path])).toEqual(
      path === '' ? [] : [['not-allowed', path]],
    );
    expect(errors.filter(({ hint }) => hint === undefined)).toEqual([]);
  });
});

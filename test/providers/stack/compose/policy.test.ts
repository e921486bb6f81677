import { describe, expect, it } from 'vitest';

import { judgeBind, judgeVolumeOptions } from '../../../../agent/providers/stack/compose/binds.ts';
import { renderCompose } from '../../../../agent/providers/stack/compose/render.ts';
import { allowAll, denyAll, input } from './inputs.ts';

const srv = { ...denyAll, binds: ['/srv/media/'] };
const socket = { ...denyAll, dockerSocket: true };
const run = { ...denyAll, binds: ['/var/run', '/run'] };
const all = { ...denyAll, binds: ['/'] };

describe('host paths', () => {
  it.each([
    ['/srv/media', srv],
    ['/srv/media/', srv],
    ['/srv/media/a/b', srv],
    ['//srv//media/x', srv],
    ['/srv/./media', srv],
    ['/srv/x/../media', srv],
    ['/var/run/docker.sock', socket],
    ['/run/docker.sock', socket],
    ['/run/mysqld', run],
    ['/etc', all],
    ['/', allowAll],
    ['/var/run/docker.sock', allowAll],
  ])('%s is allowed', (path, allow) => expect(judgeBind(path, allow)).toBeUndefined());

  it.each([
    ['/srv', srv],
    ['/srv/mediax', srv],
    ['/srv/media/../../etc', srv],
    ['/srv/media/..', srv],
    ['/etc', denyAll],
    ['/', denyAll],
    ['/etc', socket],
    ['/var/run', socket],
    ['/var/run/docker.sock', run],
    ['/var/run', run],
    ['/run/', run],
    ['/run/../run/docker.sock', run],
    ['/var/run//docker.sock', all],
    ['/var', all],
    ['/', all],
    ['./a', allowAll],
    ['a', allowAll],
    ['~/a', allowAll],
    ['C:\\a', allowAll],
    ['/srv/media/{{.Service.Name}}', srv],
  ])('%s is refused', (path, allow) => expect(judgeBind(path, allow)).toBeDefined());
});

describe('options of a local volume', () => {
  it.each([
    [{}],
    [{ type: 'nfs', o: 'addr=10.0.0.1,rw', device: ':/export' }],
    [{ type: 'NFS4', o: 'addr=nas', device: ':/export' }],
    [{ type: 'cifs', o: 'username=u', device: '//nas/share' }],
    [{ type: 'tmpfs', device: 'tmpfs', o: 'size=100m' }],
    [{ type: 'none', o: 'bind', device: '/srv/media/x' }],
    [{ size: '10G' }],
    [{ type: 'nfs', o: 'addr=nas', device: ':/export/{{.Task.Slot}}' }],
  ])('%j is allowed', (options) => expect(judgeVolumeOptions(options, srv)).toBeUndefined());

  it.each([
    [{ type: 'none', o: 'bind', device: '/etc' }],
    [{ o: 'rbind', device: '/' }],
    [{ type: 'nfs', o: 'rw, BIND', device: '/etc' }],
    [{ type: 'nfs', O: 'bind', Device: '/etc' }],
    [{ type: 'none', o: 'bind', device: '/srv/media/../../etc' }],
    [{ type: 'none', o: 'bind', device: '/var/run/docker.sock' }],
    [{ type: 'ext4', device: '/dev/sda1' }],
    [{ type: 'overlay', device: 'overlay', o: 'lowerdir=/etc,upperdir=/a,workdir=/b' }],
    [{ type: 'overlay', o: 'lowerdir=/etc' }],
    [{ type: 'none', o: 'bind', device: '{{.Node.Hostname}}' }],
    [{ device: './x', o: 'bind' }],
    [{ type: 'nfs', o: '{{ "bind" }}', device: '/etc' }],
    [{ type: '{{ "none" }}', o: 'addr=nas', device: ':/export' }],
    [{ type: 'nfs', O: 'addr=nas,{{"bin"}}d', device: '/etc' }],
  ])('%j is refused', (options) => expect(judgeVolumeOptions(options, srv)).toBeDefined());
});

const service = (body: string) => `services:\n  web:\n    image: nginx\n${body}`;

describe('through every form', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['short', service('    volumes: ["/etc:/x:ro"]\n')],
    ['long', service('    volumes: [{type: bind, source: /etc, target: /x}]\n')],
    ['anchor', `x-v: &v ["/etc:/x"]\n${service('    volumes: *v\n')}`],
    ['merge', `x-v: &v\n  volumes: ["/etc:/x"]\n${service('    <<: *v\n')}`],
    ['variable', service('    volumes: ["${P}:/x"]\n')],
    ['variable in long', service('    volumes: [{type: "${T}", source: "${P}", target: /x}]\n')],
    ['socket', service('    volumes: ["/var/run/docker.sock:/s"]\n')],
    ['relative', service('    volumes: ["./a:/x"]\n')],
    ['parent', service('    volumes: ["../../etc:/x"]\n')],
    ['home', service('    volumes: ["~/a:/x"]\n')],
    [
      'volume options',
      service(
        '    volumes: ["data:/x"]\nvolumes:\n  data: {driver_opts: {type: none, o: bind, device: /etc}}\n',
      ),
    ],
    ['volume plugin', service('    volumes: ["data:/x"]\nvolumes: {data: {driver: rexray}}\n')],
    ['network plugin', service('    networks: [n]\nnetworks: {n: {driver: weave}}\n')],
    ['host network', service('    networks: [h]\nnetworks: {h: {external: true, name: host}}\n')],
    ['host network by key', service('    networks: [host]\nnetworks: {host: {external: true}}\n')],
    [
      'host network, old form',
      service('    networks: {h: }\nnetworks: {h: {external: {name: host}}}\n'),
    ],
    ['host network as default', service('networks: {default: {external: true, name: host}}\n')],
    [
      'host network by variable',
      service('    networks: [h]\nnetworks: {h: {external: true, name: "${N}"}}\n'),
    ],
  ];
  const variables = { P: '/etc', T: 'bind', N: 'host' };

  it.each(refused)('%s is refused', (_, text) => {
    const { result, diagnostics } = renderCompose(input(text, { variables }));
    expect(diagnostics.map(({ code }) => code)).toEqual(['not-allowed']);
    expect(result).toBeUndefined();
  });

  it.each(refused.filter(([why]) => !['relative', 'parent', 'home'].includes(why)))(
    '%s is accepted where all is allowed',
    (_, text) => {
      const { result, diagnostics } = renderCompose(input(text, { variables, allow: allowAll }));
      expect(diagnostics).toEqual([]);
      expect(result).toBeDefined();
    },
  );

  it.each(['image'])('volumes of type %s are unsupported', (type) => {
    const text = service(`    volumes: [{type: ${type}, source: a, target: /x}]\n`);
    const { diagnostics } = renderCompose(input(text, { allow: allowAll }));
    expect(diagnostics.map(({ code }) => code)).toEqual(['unsupported-key']);
  });
});

/** Every switch of `policy.allow`: shut unless it is opened, and opened for nothing else. */
describe('each switch', () => {
  const volumes = (options: string): string =>
    service(`    volumes: ["data:/x"]\nvolumes:\n  data:\n    driver_opts: ${options}\n`);
  const switches: readonly (readonly [keyof typeof denyAll, string, string, number, object])[] = [
    [
      'binds',
      'short form',
      service('    volumes: ["/srv/media/a:/x"]\n'),
      4,
      { binds: ['/srv/media'] },
    ],
    [
      'binds',
      'long form',
      service('    volumes: [{type: bind, source: /srv/media, target: /x}]\n'),
      4,
      { binds: ['/srv/media'] },
    ],
    [
      'binds',
      'options of a volume',
      volumes('{type: none, o: bind, device: /srv/media}'),
      7,
      { binds: ['/srv/media'] },
    ],
    [
      'binds',
      'another disk',
      volumes('{type: ext4, device: /dev/sdb}'),
      7,
      { binds: ['/dev/sdb'] },
    ],
    [
      'dockerSocket',
      '/var/run',
      service('    volumes: ["/var/run/docker.sock:/s"]\n'),
      4,
      { dockerSocket: true },
    ],
    [
      'dockerSocket',
      '/run',
      service('    volumes: ["/run/docker.sock:/s"]\n'),
      4,
      { dockerSocket: true },
    ],
    [
      'dockerSocket',
      'read-only',
      service('    volumes: ["//run/../run//docker.sock/:/s:ro"]\n'),
      4,
      { dockerSocket: true },
    ],
    [
      'dockerSocket',
      'options of a volume',
      volumes('{type: none, o: bind, device: /run/docker.sock}'),
      7,
      { dockerSocket: true },
    ],
    [
      'hostNetwork',
      'by name',
      service('    networks: [h]\nnetworks: {h: {external: true, name: HOST}}\n'),
      4,
      { hostNetwork: true },
    ],
    [
      'plugins',
      'of a volume',
      service('volumes: {data: {driver: rexray}}\n'),
      4,
      { plugins: true },
    ],
    [
      'plugins',
      'that is almost local',
      service('volumes: {data: {driver: LOCAL}}\n'),
      4,
      { plugins: true },
    ],
    ['plugins', 'of a network', service('networks: {n: {driver: weave}}\n'), 4, { plugins: true }],
    [
      'plugins',
      'of addresses',
      service('networks: {n: {ipam: {driver: infoblox}}}\n'),
      4,
      { plugins: true },
    ],
    [
      'undefinedVariables',
      'in a value',
      service('    command: "$A"\n'),
      4,
      { undefinedVariables: true },
    ],
    [
      'undefinedVariables',
      'in `environment`',
      service('    environment: [A]\n'),
      4,
      { undefinedVariables: true },
    ],
  ];

  it.each(switches)('%s, %s', (name, _, text, line, open) => {
    const errors = (allow: object) =>
      renderCompose(input(text, { allow: { ...denyAll, ...allow } })).diagnostics.filter(
        ({ severity }) => severity === 'error',
      );
    const code = name === 'undefinedVariables' ? 'undefined-variable' : 'not-allowed';
    expect(errors({})).toMatchObject([{ code, place: { line } }]);
    const how = code === 'not-allowed' ? `policy.allow.${name}` : 'of the environment';
    expect(errors({})[0]?.hint).toContain(how);
    expect(errors(open)).toEqual([]);
    // All others do not help.
    const { [name]: own } = denyAll;
    const others = { ...allowAll, [name]: own };
    expect(errors(others).map((one) => one.code)).toEqual([code]);
  });

  it.each([
    'uts: host',
    'volumes_from: [x]',
    'volume_driver: x',
    'runtime: x',
    'use_api_socket: true',
    'group_add: [docker]',
  ])('nothing opens what is not supported: %s', (line) => {
    const given = input(service(`    ${line}\n`), { allow: allowAll });
    const { result, diagnostics } = renderCompose(given);
    expect(result).toBeUndefined();
    expect(diagnostics).toMatchObject([
      { severity: 'error', code: 'unsupported-key', place: { line: 4 }, hint: expect.any(String) },
    ]);
  });

  it.each([
    'privileged: true',
    'devices: ["/dev/sda:/dev/sda"]',
    'security_opt: ["seccomp=unconfined"]',
    'userns_mode: host',
    'pid: host',
    'ipc: host',
    'cgroup_parent: /',
    'network_mode: host',
  ])('what Docker ignores changes nothing that runs: %s', (line) => {
    const plain = renderCompose(input(service(''), { allow: allowAll }));
    const { result, diagnostics } = renderCompose(
      input(service(`    ${line}\n`), { allow: allowAll }),
    );
    expect(result).toEqual(plain.result);
    expect(diagnostics).toMatchObject([
      { severity: 'warning', code: 'ignored-key', place: { line: 4 }, hint: expect.any(String) },
    ]);
  });
});

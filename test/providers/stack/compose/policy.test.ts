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

  it.each(['npipe', 'cluster', 'image'])('volumes of type %s are unsupported', (type) => {
    const text = service(`    volumes: [{type: ${type}, source: a, target: /x}]\n`);
    const { diagnostics } = renderCompose(input(text, { allow: allowAll }));
    expect(diagnostics.map(({ code }) => code)).toEqual(['unsupported-key']);
  });
});

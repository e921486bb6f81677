import { describe, expect, it } from 'vitest';

import type { AllowRules } from '../../../../agent/core/surroundings.ts';
import { renderCompose } from '../../../../agent/providers/stack/compose/render.ts';
import { allowAll, denyAll, input } from './inputs.ts';

const web = (keys: string) => `services: {web: {image: nginx, ${keys}}}\n`;
const secret = (keys: string) =>
  `${web(`secrets: [{source: s, ${keys}}]`)}secrets: {s: {external: true}}`;

/** `severity code` of all that is said. */
function said(text: string, open: Partial<AllowRules>) {
  const { diagnostics } = renderCompose(
    input(text, {
      files: { 'stacks/blog/a.txt': 'hello' },
      allow: { ...allowAll, ...denied, ...open },
    }),
  );
  return diagnostics.map(({ severity, code }) => `${severity} ${code}`);
}

const denied = {
  checkout: '',
  home: '',
  moreDocuments: false,
  emptyStacks: false,
  unworkable: false,
};

describe('where we are stricter than the CLI there is a switch', () => {
  it.each([
    ['a second document', `${web('')}---\n${web('')}`, { moreDocuments: true }, 'conflict', 1],
    ['an empty stack', 'version: "3.8"\n', { emptyStacks: true }, 'missing-key', 0],
    ['port 0', web('ports: ["0"]'), { unworkable: true }, 'wrong-value', 1],
    ['port 70000', web('ports: [{target: 70000}]'), { unworkable: true }, 'wrong-value', 1],
    ['a port without target', web('ports: [{}]'), { unworkable: true }, 'missing-key', 1],
    [
      'a protocol',
      web('ports: [{target: 1, protocol: x}]'),
      { unworkable: true },
      'wrong-value',
      1,
    ],
    [
      'port 4294967295',
      web('ports: [{target: 4294967295}]'),
      { unworkable: true },
      'wrong-value',
      1,
    ],
    ['a mode', web('ports: [{target: 1, mode: x}]'), { unworkable: true }, 'wrong-value', 1],
    ['a mount', web('volumes: [{type: volume}]'), { unworkable: true }, 'missing-key', 1],
    ['a drive', web('volumes: ["v:/data"]'), { unworkable: true }, 'wrong-value', 1],
    ['a tag', web('user: !odd x'), { unworkable: true }, 'unknown-tag', 0],
    [
      'no spread',
      web('deploy: {placement: {preferences: [{}]}}'),
      { unworkable: true },
      'missing-key',
      1,
    ],
    ['a negative grace', web('stop_grace_period: -1s'), { unworkable: true }, 'wrong-value', 1],
    [
      'a template driver',
      `${web('')}configs: {c: {file: a.txt, template_driver: odd}}`,
      { unworkable: true },
      'wrong-value',
      1,
    ],
    [
      'a negative resource',
      web(
        'deploy: {resources: {reservations: {generic_resources: [{discrete_resource_spec: {kind: a, value: -1}}]}}}',
      ),
      { unworkable: true },
      'wrong-value',
      1,
    ],
    ['a misspelt key', secret('mod: 0400'), { unworkable: true }, 'unknown-key', 1],
    [
      'a rollback of a rollback',
      web('deploy: {rollback_config: {failure_action: rollback}}'),
      { unworkable: true },
      'wrong-value',
      1,
    ],
  ] as const)('%s', (_, text, open, code, warnings) => {
    expect(said(text, {})).toEqual([`error ${code}`]);
    expect(said(text, open)).toEqual(warnings === 0 ? [] : [`warning ${code}`]);
  });

  it('ports in another notation are in conflict all the same', () => {
    const two = (first: string, second: string) =>
      said(
        `services:\n  a: {image: x, ports: [{target: 1, published: 9, ${first}}]}\n  b: {image: x, ports: [{target: 1, published: 9, ${second}}]}\n`,
        { unworkable: true },
      ).filter((note) => note.startsWith('error'));
    expect(two('protocol: UDP', 'protocol: udp')).toEqual(['error conflict']);
    expect(two('protocol: odd', 'protocol: tcp')).toEqual(['error conflict']);
    expect(two('mode: odd', 'mode: host')).toEqual(['error conflict']);
    expect(two('mode: HOST', 'mode: host')).toEqual([]);
  });

  it.each(['target: -1', 'target: 4294967296', 'target: 1, published: 1.0e+18'])(
    'what is no port at all stays an error: %s',
    (port) => {
      const ports = web(`ports: [{${port}}]`);
      expect(said(ports, { unworkable: true })).toEqual([expect.stringMatching(/^error /)]);
    },
  );
});

describe('relative binds and the home', () => {
  const source = (written: string, open: Partial<AllowRules>) => {
    const text = web(`volumes: ["${written}:/a"]`);
    const { result } = renderCompose(
      input(text, {
        files: { 'stacks/blog/a.txt': 'hello' },
        allow: { ...denyAll, ...open },
      }),
    );
    const [service] = Object.values(result?.services ?? {});
    return service?.TaskTemplate.ContainerSpec.Mounts?.[0]?.Source;
  };

  it.each([
    ['./data', '/srv/repo/stacks/blog/data'],
    ['../shared/./x/', '/srv/repo/stacks/shared/x'],
    ['.', '/srv/repo/stacks/blog'],
  ])('%s begins at the folder of the file in the checkout', (written, expected) => {
    const open = { checkout: '/srv/repo', binds: ['/srv/repo'] };
    expect(source(written, open)).toBe(expected);
    expect(source(written, { ...open, checkout: '' })).toBeUndefined();
  });

  it('what it comes to is judged by the policy', () => {
    const open = { checkout: '/srv/repo', binds: ['/srv/repo'] };
    expect(source('../../../../etc', open)).toBeUndefined();
    expect(source('../../../../var/run/docker.sock', { ...open, binds: ['/'] })).toBeUndefined();
    expect(source('./data', { checkout: '/srv/repo' })).toBeUndefined();
  });

  it('~ is the home of the policy', () => {
    expect(source('~/x', { home: '/home/me', binds: ['/home'] })).toBe('/home/me/x');
    expect(source('~/x', { binds: ['/'] })).toBeUndefined();
    expect(source('~/../../etc', { home: '/home/me', binds: ['/home'] })).toBeUndefined();
  });

  it('an absolute file is one of the repository below the checkout alone', () => {
    const text = web('env_file: /srv/repo/stacks/blog/a.env');
    const files = { 'stacks/blog/a.env': 'A=1\n' };
    const render = (checkout: string, path = text) =>
      renderCompose(input(path, { files, allow: { ...denyAll, checkout } })).diagnostics.map(
        ({ code }) => code,
      );
    expect(render('/srv/repo')).toEqual([]);
    expect(render('')).toEqual(['path-outside']);
    expect(render('/srv/rep')).toEqual(['path-outside']);
    expect(render('/srv/repo', web('env_file: /srv/repo/../../etc/passwd'))).toEqual([
      'path-outside',
    ]);
  });
});

it.each([
  ['build: {context: ., cache_from: [a, a]}', 'error conflict'],
  ['depends_on: {db: {condition: x}}', 'error wrong-type'],
  ['shm_size: 64', 'error wrong-type'],
  ['links: [a, a]', 'error conflict'],
])('what is ignored must be well-formed: %s', (keys, expected) => {
  expect(said(web(keys), {}).toSorted()).toEqual([expected, 'warning ignored-key']);
});

it.each([
  ['3.6', web('x-a: 1')],
  ['3.3', `x-a: 1\n${web('')}`],
  ['3.10', web('build: {context: ., odd: 1}')],
  ['3.8', web('cgroupns_mode: host')],
  ['3.5', web('volumes: [{type: tmpfs, target: /a, tmpfs: {}}]')],
])('keys that version %s did not have are refused', (version, text) => {
  const found = (one: string) => said(`version: "${one}"\n${text}`, {});
  expect(found(version)).toContain('error conflict');
  expect(found('3.13')).not.toContain('error conflict');
});

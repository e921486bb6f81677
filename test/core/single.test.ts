import { describe, expect, it } from 'vitest';

import { renderRepository } from '../../agent/core/repository.ts';
import { stackFolders } from '../../agent/providers/stack/render.ts';
import { readCron } from '../../agent/render/cron.ts';
import { type Contents, filesOf, small } from '../fakes/repository.ts';

/** `code file:line: message` of every mistake. */
function mistakes(contents: Contents): readonly string[] {
  const ports = { kind: stackFolders, memo: new Map(), readCron };
  const outcome = renderRepository(filesOf(contents), 'production', ports);
  if (outcome.status === 'incomplete') throw new Error('incomplete');
  return outcome.diagnostics
    .filter(({ severity }) => severity === 'error')
    .map(({ code, place, message }) => {
      return `${code} ${place?.file ?? ''}:${String(place?.line ?? 0)}: ${message}`;
    });
}

const FILE = 'stacks/blog/compose.yaml';
const WHY = 'the stack has `instances: single`: ';
const web = (keys: string): string => `services:\n  web:\n    image: nginx:1.29\n${keys}`;
const single = (compose: string, more = ''): Contents => ({
  ...small,
  [FILE]: compose,
  'stacks/blog/stack.yaml': `kind: Stack\ninstances: single\n${more}`,
});

describe('instances: single', () => {
  it.each<[string, string]>([
    ['nothing else', ''],
    ['one replica', '    deploy: {replicas: 1}\n'],
    ['none', '    deploy: {replicas: 0}\n'],
    ['stop-first', '    deploy: {update_config: {order: stop-first}}\n'],
    ['an update_config without an order', '    deploy: {update_config: {delay: 1s}}\n'],
    ['a short grace', '    stop_grace_period: 44s\n'],
    ['one run of a job', '    deploy: {mode: replicated-job}\n'],
  ])('takes %s', (_what, keys) => {
    expect(mistakes(single(web(keys)))).toEqual([]);
  });

  it.each<[string, string, string]>([
    ['two replicas', '    deploy:\n      replicas: 2\n', `5: ${WHY}2 replicas are 2 copies`],
    [
      'a global service',
      '    deploy:\n      mode: global\n',
      `5: ${WHY}a global service has a copy on every node`,
    ],
    [
      'a global job',
      '    deploy:\n      mode: global-job\n',
      `5: ${WHY}a global service has a copy on every node`,
    ],
    [
      'a job that runs twice at once',
      '    deploy:\n      mode: replicated-job\n      replicas: 2\n',
      `6: ${WHY}2 replicas are 2 copies`,
    ],
    [
      'an update that starts first',
      '    deploy:\n      update_config:\n        order: start-first\n',
      `6: ${WHY}with \`start-first\` the new copy starts while the old one runs`,
    ],
    [
      'a rollback that starts first',
      '    deploy:\n      rollback_config:\n        order: start-first\n',
      `6: ${WHY}with \`start-first\` the new copy starts while the old one runs`,
    ],
    [
      'a long grace',
      '    stop_grace_period: 45s\n',
      `4: ${WHY}Swarm waits a minute for the old copy to end, and then starts the new one beside it`,
    ],
  ])('refuses %s, with the line', (_what, keys, expected) => {
    expect(mistakes(single(web(keys)))).toEqual([`conflict ${FILE}:${expected}`]);
    // Without it the same is fine.
    expect(mistakes({ ...small, [FILE]: web(keys) })).toEqual([]);
  });

  it('counts where a second file says it', () => {
    const over = {
      'stacks/blog/compose.production.yaml': 'services: {web: {deploy: {replicas: 2}}}\n',
    };
    expect(mistakes({ ...single(web('')), ...over })).toEqual([
      `conflict stacks/blog/compose.production.yaml:1: ${WHY}2 replicas are 2 copies`,
    ]);
  });

  it('may be the default, and a stack may say otherwise', () => {
    const defaults = { 'understudy.yaml': 'version: 1\ndefaults: {stack: {instances: single}}\n' };
    const two = { ...small, ...defaults, [FILE]: web('    deploy: {replicas: 2}\n') };
    expect(mistakes(two)).toHaveLength(1);
    const any = { 'stacks/blog/stack.yaml': 'kind: Stack\ninstances: any\n' };
    expect(mistakes({ ...two, ...any })).toEqual([]);
  });

  it('leaves the number of replicas to nobody', () => {
    expect(mistakes(single(web(''), 'ignore: [services.web.replicas]\n'))).toEqual([
      'conflict stacks/blog/stack.yaml:3: the stack has `instances: single`: nobody else may give it more replicas',
    ]);
  });
});

describe('the volume of such a stack', () => {
  const EXTERNAL = 'volumes: {content: {external: true, name: ghost}}\n';
  const mounting = (mount: string, volumes = EXTERNAL): string =>
    web(`    volumes: ["${mount}"]\n${volumes}`);
  const blog = single(mounting('content:/var/lib/ghost'));
  const other = (compose: string): Contents => ({ ...blog, 'stacks/other/compose.yaml': compose });

  it('is not written by a second stack', () => {
    expect(mistakes(other(mounting('content:/data')))).toEqual([
      'conflict stacks/blog/stack.yaml:2: the volume `ghost` of this stack, which has `instances: single`, is also written by `stack/other`',
    ]);
  });

  it.each<[string, Contents]>([
    ['may be read by one', other(mounting('content:/data:ro'))],
    [
      'is another one where only the key is the same',
      other(mounting('content:/data', 'volumes: {content: {}}\n')),
    ],
    [
      'may be shared where nobody wants one copy only',
      {
        ...other(mounting('content:/data')),
        'stacks/blog/stack.yaml': 'kind: Stack\n',
      },
    ],
    [
      'may be written by two services of its own',
      single(
        `${web('    volumes: ["content:/a"]\n')}  backup:\n    image: nginx:1.29\n    volumes: ["content:/b"]\n${EXTERNAL}`,
      ),
    ],
  ])('%s', (_what, contents) => {
    expect(mistakes(contents)).toEqual([]);
  });
});

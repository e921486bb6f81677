import { describe, expect, it } from 'vitest';

import { renderCompose } from '../../../../agent/providers/stack/compose/render.ts';
import { denied } from '../../../../agent/core/surroundings.ts';

const text = (subnet: string, services: string): string =>
  `services:\n${services}networks:\n  default:\n    ipam: {config: [{subnet: "${subnet}"}]}\n`;
const web = (keys = ''): string => `  web: {image: nginx, deploy: {${keys}}}\n`;

function warnings(subnet: string, services: string): readonly string[] {
  const { diagnostics } = renderCompose({
    stack: 'blog',
    file: 'stacks/blog/compose.yaml',
    text: text(subnet, services),
    variables: {},
    read: () => undefined,
    allow: denied,
  });
  return diagnostics
    .filter(({ code }) => code === 'small-subnet')
    .map(({ severity, place, message }) => {
      return `${severity} ${place?.path ?? ''}: ${/(\d+) addresses.* take (\d+) on/.exec(message)?.slice(1).join(' < ') ?? ''}`;
    });
}

const AT = 'warning networks.default.ipam.config[0].subnet';

describe('a subnet', () => {
  it.each<[string, string, string, readonly string[]]>([
    ['has room: 1 VIP, 2 tasks, 2 nodes', '10.0.0.0/29', web('replicas: 2'), []],
    ['is too small: 1 VIP, 3 tasks, 3 nodes', '10.0.0.0/29', web('replicas: 3'), [`${AT}: 5 < 7`]],
    ['counts three nodes at most', '10.0.0.0/28', web('replicas: 9'), []],
    [
      'counts each service',
      '10.0.0.0/29',
      `${web('replicas: 2')}  db: {image: nginx}\n`,
      [`${AT}: 5 < 8`],
    ],
    ['counts no VIP with dnsrr', '10.0.0.0/29', web('replicas: 2, endpoint_mode: dnsrr'), []],
    [
      'counts a global service on three nodes',
      '10.0.0.0/29',
      web('mode: global'),
      [`${AT}: 5 < 7`],
    ],
    [
      'counts what an update starts first',
      '10.0.0.0/29',
      web('replicas: 2, update_config: {order: start-first}'),
      [`${AT}: 5 < 6`],
    ],
    [
      'counts all of it where an update starts all',
      '10.0.0.0/29',
      web('replicas: 2, update_config: {order: start-first, parallelism: 0}'),
      [`${AT}: 5 < 7`],
    ],
    ['of IPv6 is not counted', 'fd00::/126', web('replicas: 9'), []],
  ])('%s', (_what, subnet, services, expected) => {
    expect(warnings(subnet, services)).toEqual(expected);
  });

  it('is counted for those who are in it', () => {
    const alone = `${web('replicas: 2')}  db: {image: nginx, networks: [other]}\n`;
    expect(warnings('10.0.0.0/29', alone)).toEqual([]);
  });
});

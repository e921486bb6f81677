import { expect, it } from 'vitest';

import { parsePort } from '../../../../agent/providers/stack/compose/ports.ts';

/** `published>target/protocol`, as one line. */
function shown(text: string): string {
  const parsed = parsePort(text);
  if ('problem' in parsed) return 'refused';
  return parsed.ports
    .map(
      ({ PublishedPort, TargetPort, Protocol }) =>
        `${PublishedPort ?? ''}>${TargetPort}/${Protocol}`,
    )
    .join(' ');
}

it.each([
  ['80', '>80/tcp'],
  [':80', '>80/tcp'],
  ['0:80', '>80/tcp'],
  ['::80', '>80/tcp'],
  ['8080:80', '8080>80/tcp'],
  ['8080:80/udp', '8080>80/udp'],
  ['8080:80/SCTP', '8080>80/sctp'],
  ['8080:80/', '8080>80/tcp'],
  ['0.0.0.0:8080:80', '8080>80/tcp'],
  ['127.0.0.1:8080:80', '8080>80/tcp'],
  ['127.0.0.1::80', '>80/tcp'],
  ['[::1]:8080:80', '8080>80/tcp'],
  ['::1:8080:80', '8080>80/tcp'],
  ['8000-8002:80-82', '8000>80/tcp 8001>81/tcp 8002>82/tcp'],
  ['8000-8002:80', '8000>80/tcp 8001>80/tcp 8002>80/tcp'],
  ['998-1001', '>1000/tcp >1001/tcp >998/tcp >999/tcp'],
  ['65535:65535', '65535>65535/tcp'],
])('%s', (text, ports) => expect(shown(text)).toBe(ports));

it.each([
  '',
  'x',
  '-1',
  '80.5',
  '65536',
  '80-79',
  '1-2-3',
  '8000-8001:80-82',
  '8080:80-81',
  '8080:',
  'host:8080:80',
  '1.2.3:8080:80',
  'fe80::1%eth0:1:2',
  '80/xyz',
  '+80',
  '8 0',
])('refuses %j', (text) => expect(shown(text)).toBe('refused'));

it.each([
  ['127.0.0.1:1:2', '127.0.0.1'],
  ['[::1]:1:2', '::1'],
  ['0.0.0.0:1:2', undefined],
  ['[::]:1:2', undefined],
  ['1:2', undefined],
])('%s ignores the address %s', (text, address) => {
  const parsed = parsePort(text);
  expect('ports' in parsed ? parsed.ignoredAddress : 'refused').toBe(address);
});

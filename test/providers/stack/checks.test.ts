import { describe, expect, it } from 'vitest';

import { renderRepository } from '../../../agent/core/repository.ts';
import { renderStack, stackFolders } from '../../../agent/providers/stack/render.ts';
import type { CheckSpec } from '../../../agent/providers/stack/spec.ts';
import { readCron } from '../../../agent/render/cron.ts';
import { filesOf, type Contents } from '../../fakes/repository.ts';

const compose = `services:
  web:
    image: nginx
    ports:
      - 8080:80
      - 8443:443
      - 53:53/udp
      - "9000"
  db:
    image: mysql
    deploy: {endpoint_mode: dnsrr}
    ports:
      - {target: 3306, published: 13306, mode: host}
      - {target: 33060, mode: host}
  quiet:
    image: nginx
  many:
    image: nginx
    ports: ["20000-20999:80"]
`;

const denied = {
  binds: [],
  dockerSocket: false,
  hostNetwork: false,
  capabilities: [],
  sysctls: [],
  plugins: false,
  subpath: false,
  undefinedVariables: false,
  checkout: '',
  home: '',
  moreDocuments: false,
  emptyStacks: false,
  unworkable: false,
};

const stack = (checks: string): string => `kind: Stack
health:
  checks:
${checks}`;

function render(contents: Contents) {
  const files = filesOf({
    'understudy.yaml': 'version: 1\n',
    'environments/production.yaml': 'kind: Environment\nname: production\n',
    'stacks/blog/compose.yaml': compose,
    ...contents,
  });
  const outcome = renderRepository(files, 'production', {
    kind: stackFolders,
    memo: new Map(),
    readCron,
  });
  if (outcome.status === 'incomplete') throw new Error('incomplete');
  return outcome;
}

function checksOf(text: string): readonly CheckSpec[] {
  const { units, diagnostics } = render({ 'stacks/blog/stack.yaml': stack(text) });
  expect(diagnostics).toEqual([]);
  return units[0]?.spec.health.checks ?? [];
}

describe('what is asked of a stack', () => {
  it('has defaults', () => {
    const rest = { intervalMs: 5000, timeoutMs: 3000, failures: 3 };
    expect(
      checksOf(`    - {name: page, http: {service: web, port: 8080}}
    - {name: outside, http: {url: https://www.example.org/health}}
    - {name: database, tcp: {service: db, port: 13306}}
`),
    ).toEqual([
      {
        name: 'page',
        target: {
          protocol: 'http',
          at: { service: 'web', port: 8080 },
          path: '/',
          status: [{ from: 200, to: 399 }],
        },
        ...rest,
      },
      {
        name: 'outside',
        target: {
          protocol: 'http',
          url: 'https://www.example.org/health',
          status: [{ from: 200, to: 399 }],
        },
        ...rest,
      },
      {
        name: 'database',
        target: { protocol: 'tcp', at: { service: 'db', port: 13_306 } },
        ...rest,
      },
    ]);
  });

  it('has everything that is written', () => {
    expect(
      checksOf(`    - name: page
      http:
        service: web
        port: 8443
        path: /health?deep=1
        host: www.example.org
        status: [200-299, 301]
        contains: Welcome
      interval: 1m
      timeout: 250ms
      failures: 7
`),
    ).toEqual([
      {
        name: 'page',
        target: {
          protocol: 'http',
          at: { service: 'web', port: 8443 },
          path: '/health?deep=1',
          host: 'www.example.org',
          status: [
            { from: 200, to: 299 },
            { from: 301, to: 301 },
          ],
          contains: 'Welcome',
        },
        intervalMs: 60_000,
        timeoutMs: 250,
        failures: 7,
      },
    ]);
  });
});

describe('a check that asks nobody is a mistake', () => {
  it.each([
    [
      'a misspelled service',
      'http: {service: wbe, port: 8080}',
      'undefined-service health.checks[0].http.service: the stack has no service `wbe`',
      'did you mean `web`?',
    ],
    [
      'another service',
      'tcp: {service: mailer, port: 25}',
      'undefined-service health.checks[0].tcp.service: the stack has no service `mailer`',
      'it has `web`, `db`, `quiet`, `many`',
    ],
    [
      'a name that every object has',
      'tcp: {service: constructor, port: 25}',
      'undefined-service health.checks[0].tcp.service: the stack has no service `constructor`',
      'it has `web`, `db`, `quiet`, `many`',
    ],
    [
      'the port inside the container',
      'http: {service: web, port: 80}',
      'wrong-value health.checks[0].http.port: `web` does not publish the TCP port 80; it publishes `8080`, `8443`',
      '80 is the port inside the container, it is published at 8080',
    ],
    [
      'the port inside, of a port of the nodes',
      'tcp: {service: db, port: 3306}',
      'wrong-value health.checks[0].tcp.port: `db` does not publish the TCP port 3306; it publishes `13306`',
      '3306 is the port inside the container, it is published at 13306',
    ],
    [
      'a port that the engine chooses',
      'tcp: {service: web, port: 9000}',
      'wrong-value health.checks[0].tcp.port: `web` does not publish the TCP port 9000; it publishes `8080`, `8443`',
      'the published port changes with every start: write `published` in the Compose file',
    ],
    [
      'a UDP port',
      'tcp: {service: web, port: 53}',
      'wrong-value health.checks[0].tcp.port: `web` does not publish the TCP port 53; it publishes `8080`, `8443`',
      undefined,
    ],
    [
      'a service without ports',
      'tcp: {service: quiet, port: 80}',
      'wrong-value health.checks[0].tcp.port: `quiet` does not publish the TCP port 80; it publishes none',
      undefined,
    ],
    [
      'one of many ports',
      'tcp: {service: many, port: 21000}',
      'wrong-value health.checks[0].tcp.port: `many` does not publish the TCP port 21000; it publishes `20000`, `20001`, `20002`, `20003`, `20004`, `20005`, `20006`, `20007` and 992 more',
      undefined,
    ],
  ])('%s', (_, check, expected, hint) => {
    const text = stack(`    - {name: x, ${check}}\n`);
    const { units, diagnostics } = render({ 'stacks/blog/stack.yaml': text });
    expect(units).toEqual([]);
    expect(diagnostics).toHaveLength(1);
    const [found] = diagnostics;
    expect(`${found?.code} ${found?.place?.path}: ${found?.message}`).toBe(expected);
    expect(found?.hint).toBe(hint);
    expect(found?.place).toMatchObject({ file: 'stacks/blog/stack.yaml', line: 4 });
    const { column = 0, length = 0, quoted = '' } = found?.place ?? {};
    const value = quoted.slice(column - 1, column - 1 + length);
    expect(expected).toContain(value);
    expect(value).toMatch(/^(?:\w+|\d+)$/);
  });

  it('every one of them is told', () => {
    const text = stack(
      `    - {name: a, tcp: {service: wbe, port: 1}}
    - {name: b, http: {url: "http://a.org"}}
    - {name: c, tcp: {service: web, port: 1}}
`,
    );
    const { diagnostics } = render({ 'stacks/blog/stack.yaml': text });
    expect(diagnostics.map(({ place }) => place?.line)).toEqual([4, 6]);
  });

  it('a stack with such a mistake is not given out', () => {
    const files = filesOf({
      'stacks/blog/compose.yaml': compose,
      'stacks/blog/stack.yaml': stack('    - {name: a, tcp: {service: web, port: 1}}\n'),
    });
    const { rendered, claims } = renderStack({
      name: 'blog',
      folder: 'stacks/blog',
      surroundings: { environment: 'production', variables: {}, allow: denied, stack: {} },
      read: (path) => files.get(path)?.bytes(),
    });
    expect(rendered).toBeUndefined();
    expect(claims).toEqual([]);
  });

  it('nothing is said of services while the Compose file has mistakes of its own', () => {
    const text = stack('    - {name: a, tcp: {service: web, port: 8080}}\n');
    const { diagnostics } = render({
      'stacks/blog/stack.yaml': text,
      'stacks/blog/compose.yaml': 'services: {web: {imagee: nginx}}\n',
    });
    expect(diagnostics.map(({ code }) => code)).toEqual(['unknown-key']);
  });
});

describe('a check of the defaults', () => {
  const defaults = {
    'understudy.yaml': `version: 1
defaults: {stack: {health: {checks: [{name: page, http: {service: web, port: 8080}}]}}}
`,
  };
  const other = 'services: {app: {image: nginx, ports: ["8080:80"]}}\n';

  it('is asked of every stack', () => {
    const { units, diagnostics } = render(defaults);
    expect(diagnostics).toEqual([]);
    expect(units[0]?.spec.health.checks).toMatchObject([
      { name: 'page', target: { at: { service: 'web', port: 8080 } } },
    ]);
  });

  it.each<[string, Contents, string]>([
    ['its Compose file', {}, 'stacks/blog/compose.yaml'],
    ['its stack.yaml', { 'stacks/blog/stack.yaml': 'kind: Stack\n' }, 'stacks/blog/stack.yaml'],
  ])('for which a stack has no service is shown at %s', (_, more, file) => {
    const { diagnostics } = render({ ...defaults, 'stacks/blog/compose.yaml': other, ...more });
    expect(diagnostics).toMatchObject([
      {
        code: 'undefined-service',
        message: 'the stack has no service `web` (a check of `defaults.stack`)',
        place: { file, line: 1 },
      },
    ]);
  });

  it('counts no more where the stack has a list of its own', () => {
    const { diagnostics, units } = render({
      ...defaults,
      'stacks/blog/compose.yaml': other,
      'stacks/blog/stack.yaml': 'kind: Stack\nhealth: {checks: []}\n',
    });
    expect(diagnostics).toEqual([]);
    expect(units[0]?.spec.health.checks).toEqual([]);
  });
});

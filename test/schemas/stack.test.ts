import { describe, expect, it } from 'vitest';

import { readDocument } from '../../agent/core/document.ts';
import { Settings } from '../../schemas/settings.ts';
import { Stack } from '../../schemas/stack.ts';

/** Code, path and message of every mistake. */
function mistakes(text: string): readonly string[] {
  const reading = { schema: Stack, unsupported: [] };
  const { diagnostics } = readDocument('stack.yaml', `kind: Stack\n${text}`, reading);
  return diagnostics.map(({ code, place, message }) => `${code} ${place?.path}: ${message}`);
}

const checks = (...list: string[]): readonly string[] =>
  mistakes(`health: {checks: [${list.join(', ')}]}\n`);
const http = (keys: string): readonly string[] => checks(`{name: x, http: {${keys}}}`);
const more = (keys: string): readonly string[] =>
  checks(`{name: x, tcp: {service: web, port: 80}, ${keys}}`);

describe('a check', () => {
  it.each([
    'service: web, port: 1',
    'service: web, port: 65535, path: /a?b=c',
    'url: "https://www.example.org:8443/health?x=1"',
    'url: "http://[2600::1]/"',
    'url: "http://10.0.0.1"',
    'url: "https://example.org", host: "blog.example.org:8443", status: [200], contains: "Grüße"',
    'service: web, port: 80, host: "[2600::1]:80", status: [200-299, "404", 500-500]',
  ])('http: %s', (keys) => expect(http(keys)).toEqual([]));

  const BOTH = 'wrong-value health.checks[0].http: write either `service` and `port`, or `url`';
  const URL = 'wrong-value health.checks[0].http.url: write a full address such as';
  const LOGIN = 'wrong-value health.checks[0].http.url: write the address without a user name';
  const HOST = 'wrong-value health.checks[0].http.host: write a host name such as';
  const STATUS = 'wrong-value health.checks[0].http.status[0]: write a status such as';
  it.each([
    ['service: web', BOTH],
    ['port: 80', BOTH],
    ['path: /', BOTH],
    ['service: web, port: 80, url: "http://a.org"', BOTH],
    ['service: web, url: "http://a.org"', BOTH],
    ['url: "http://a.org", path: /x', 'wrong-value health.checks[0].http.path: the path is part'],
    ['url: "ftp://a.org"', URL],
    ['url: "//a.org"', URL],
    ['url: "http://"', URL],
    ['url: "http://[::1"', URL],
    ['url: "http://a.org:99999/"', URL],
    ['url: "http://a b.org"', URL],
    ['url: "http://user:canary@a.org"', LOGIN],
    ['url: "http://user@a.org"', LOGIN],
    ['url: "http://:canary@a.org"', LOGIN],
    ['service: web, port: 0', 'wrong-value health.checks[0].http.port: write a whole number'],
    ['service: web, port: 65536', 'wrong-value health.checks[0].http.port: write a whole number'],
    ['service: web, port: 80, path: x', 'wrong-value health.checks[0].http.path: write a path'],
    ['service: web, port: 80, host: "a b"', HOST],
    ['service: web, port: 80, host: "a\\r\\nx: y"', HOST],
    ['service: web, port: 80, host: "http://a.org"', HOST],
    ['service: web, port: 80, status: []', 'wrong-value health.checks[0].http.status: write a'],
    ['service: web, port: 80, status: [99]', STATUS],
    ['service: web, port: 80, status: [600]', STATUS],
    ['service: web, port: 80, status: [299-200]', STATUS],
    ['service: web, port: 80, status: [2xx]', STATUS],
    ['service: web, port: 80, contains: ""', 'wrong-value health.checks[0].http.contains: write'],
  ])('http: %s is refused', (keys, expected) => {
    const found = http(keys);
    expect(found).toHaveLength(1);
    expect(found[0]?.startsWith(expected)).toBe(true);
    expect(found.join()).not.toContain('canary');
  });

  it.each([
    ['interval: 1s', undefined],
    ['interval: 999ms', 'wrong-value health.checks[0].interval: write at least `1s`'],
    ['timeout: 100ms', undefined],
    ['timeout: 99ms', 'wrong-value health.checks[0].timeout: write at least `100ms`'],
    ['timeout: 60s', undefined],
    ['timeout: 60001ms', 'wrong-value health.checks[0].timeout: write at most `60s`'],
    [
      'timeout: soon',
      'wrong-value health.checks[0].timeout: write a duration such as `30s`, `1m30s` or `12h`',
    ],
    ['failures: 100', undefined],
    ['failures: 0', 'wrong-value health.checks[0].failures: write a whole number from 1 to 100'],
    [
      'http: {service: web, port: 80}',
      'wrong-value health.checks[0]: write exactly one of `http` and `tcp`',
    ],
  ])('%s: %s', (keys, expected) =>
    expect(more(keys)).toEqual(expected === undefined ? [] : [expected]),
  );

  it.each(['""', '"a\\nb"', `"${'x'.repeat(101)}"`])('the name %s is refused', (name) =>
    expect(checks(`{name: ${name}, tcp: {service: web, port: 80}}`)).toEqual([
      'wrong-value health.checks[0].name: write a name for messages of at most 100 characters in one line',
    ]),
  );

  const named = (name: string): string => `{name: ${name}, tcp: {service: web, port: 80}}`;

  it('has a name of its own; the second one of that name is the mistake', () => {
    expect(checks(named('a'), named('b'), named('A'))).toEqual([]);
    expect(checks(named('a'), named('b'), named('a'))).toEqual([
      'name-conflict health.checks[2].name: two checks have the same name',
    ]);
  });

  it('is one of twenty at most', () => {
    const many = Array.from({ length: 21 }, (_, index) => named(`c${index}`));
    expect(checks(...many.slice(1))).toEqual([]);
    expect(checks(...many)).toEqual(['wrong-value health.checks: write at most 20 checks']);
  });
});

it.each([
  ['rollback: {mode: hold, keep: 1}', []],
  ['rollback: {}', []],
  ['rollback: {keep: 0}', ['wrong-value rollback.keep: write a whole number from 1 to 5']],
  ['rollback: {keep: 6}', ['wrong-value rollback.keep: write a whole number from 1 to 5']],
  ['rollback: {mode: never}', ['wrong-value rollback.mode: write `auto` or `hold`']],
  ['prune: true', []],
  ['removal: hold', []],
  ['removal: never', ['wrong-value removal: write `auto` or `hold`']],
  ['ignore: []', []],
])('%s: %j', (text, expected) => expect(mistakes(text)).toEqual(expected));

describe('network.allow', () => {
  const network = Settings.shape.network;

  it.each(['10.0.0.0/8', '10.20.30.40/32', '0.0.0.0/0', 'fd00::/8', '::/0', '::ffff:10.0.0.0/104'])(
    'takes %s',
    (one) => expect(network.safeParse({ allow: [one] }).success).toBe(true),
  );

  it.each([
    '10.0.0.0',
    '10.0.0.0/33',
    '999.0.0.1/8',
    'fd00::/129',
    'all',
    '10.0.0.0/8/8',
    'a.org/8',
    '',
  ])('refuses %j: it would allow nothing', (one) =>
    expect(network.safeParse({ allow: [one] }).error?.issues[0]?.message).toBe(
      'write a network such as `10.0.0.0/8`',
    ),
  );
});

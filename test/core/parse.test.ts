import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseYaml, startOf } from '../../agent/core/parse.ts';
import type { Limits, Located, Parsed } from '../../agent/core/parse.ts';
import { Float, Timestamp } from '../../agent/core/scalars.ts';

const parse = (text: string): Parsed => parseYaml('stacks/web/compose.yaml', text);

function only(text: string, exact = false): Located {
  const { documents, diagnostics } = parseYaml('f.yaml', text, { exact });
  expect(diagnostics).toEqual([]);
  const [first, ...others] = documents;
  expect(others).toEqual([]);
  if (first === undefined) throw new Error('no document');
  return first;
}

/** `code line:column+length`, or the value. */
function outcome({ documents, diagnostics }: Parsed): unknown {
  if (diagnostics.length === 0) return documents.map(({ value }) => value);
  expect(documents).toEqual([]);
  return diagnostics.map(
    ({ code, place }) => `${code} ${place?.line}:${place?.column}+${place?.length}`,
  );
}

describe('values', () => {
  it.each([
    ['a: 1\nb: [x, 2.5, 0440]', { a: 1, b: ['x', 2.5, 288] }],
    ['a: "1"\nb: \'2\'\nc: !!str 3', { a: '1', b: '2', c: '3' }],
    ['a: 2020-01-01', { a: '2020-01-01' }],
    ['a: 12345678901234567890', { a: 12345678901234567890n }],
    ['a:\nb: ~\n? c', { a: null, b: null, c: null }],
    ['a: |\n  x\n  y\nb: >\n  x\n  y', { a: 'x\ny\n', b: 'x y\n' }],
    ['"<<": 1', { '<<': 1 }],
    ['a: <<', { a: '<<' }],
    ['a: &x {b: 1}\nc: *x', { a: { b: 1 }, c: { b: 1 } }],
    ['a: &x 1\nb: *x\nc: &x 2\nd: *x', { a: 1, b: 1, c: 2, d: 2 }],
    ['a: &x k\n*x : 1', { a: 'k', k: 1 }],
    ['a: &x {p: 1, q: 1}\nb: {q: 2, <<: *x}', { a: { p: 1, q: 1 }, b: { q: 2, p: 1 } }],
    ['a: &x {p: 1}\nb: {<<: *x, p: ~}', { a: { p: 1 }, b: { p: null } }],
    [
      'a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}',
      { a: { p: 1 }, b: { p: 2, q: 2 }, c: { p: 1, q: 2 } },
    ],
    ['a: {<<: {p: 1, d: {x: 1}}, d: {y: 2}}', { a: { p: 1, d: { y: 2 } } }],
    ['a: {<<: {<<: {p: 1}, q: 2}}', { a: { p: 1, q: 2 } }],
    ['constructor: 1\nprototype: 2', { constructor: 1, prototype: 2 }],
    ['\ufeffa: 1\r\nb: 2\r\n', { a: 1, b: 2 }],
    ['[a: b]', [{ a: 'b' }]],
    ['text', 'text'],
    ['---\n', null],
  ])('%j', (text, value) => {
    expect(outcome(parse(text))).toEqual([value]);
  });

  it('mappings have no prototype, aliases are copies', () => {
    const { value } = only('a: &x {b: [1]}\nc: *x');
    expect(value).toEqual({ a: { b: [1] }, c: { b: [1] } });
    const [first, second] = Object.values(Object(value));
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(first).not.toBe(second);
  });

  it('exact keeps floats and dates apart', () => {
    expect(only('a: 1.0\nb: 1\nc: 2020-01-01\nd: "1.0"', true).value).toEqual({
      a: new Float(1),
      b: 1,
      c: new Timestamp('2020-01-01 00:00:00 +0000 UTC'),
      d: '1.0',
    });
  });

  it('gives every document of a file, and none of an empty one', () => {
    expect(outcome(parse('a: 1\n---\nb: 2\n...\n'))).toEqual([{ a: 1 }, { b: 2 }]);
    expect(outcome(parse(''))).toEqual([]);
    expect(outcome(parse('# nothing\n'))).toEqual([]);
  });

  it('an anchor ends with its document', () => {
    expect(outcome(parse('a: &x 1\n---\nb: *x\n'))).toEqual(['unknown-anchor 3:4+2']);
  });
});

describe('refused, at the place', () => {
  it.each([
    ['a: [1', ['syntax 1:6+1']],
    ['a: "b', ['syntax 1:4+1']],
    ["a: 1\nb: 'c\nd: 2\n", ['syntax 2:4+1']],
    ['a: "b\\"', ['syntax 1:4+1']],
    ["a: 'b''", ['syntax 1:4+1']],
    ['a: |\n  "b\nc: [1', ['syntax 3:6+1']],
    [']', ['syntax 1:1+1']],
    ['a: 1\n]', ['syntax 2:1+1']],
    ['...\n%', ['directive 2:1+1']],
    ['%', ['directive 1:1+1']],
    ['a: b: c', ['syntax 1:4+1']],
    ['a:\n\tb: 1', ['syntax 2:1+1']],
    ['a: 1\n b: 2', ['syntax 1:4+1']],
    ['a: @x', ['syntax 1:4+1']],
    ['a: "\\q"', ['syntax 1:5+1']],
    ['a: \x02', ['syntax 1:4+1']],
    ['a: x\rb: y', ['syntax 1:5+1']],
    ['a: x\u2028b', ['syntax 1:5+1']],
    ['a: x\ufeff', ['syntax 1:5+1']],
    ['a: \ud800', ['syntax 1:4+1']],
    ['%YAML 1.1\n---\na: on', ['directive 1:1+9']],
    ['%TAG ! x:\n---\na: on', ['directive 1:1+9']],
    ['a: 1\nb: 2\na: 3', ['duplicate-key 3:1+1']],
    ['a: 1\n"a": 2', ['duplicate-key 2:1+3']],
    ['x: &x {}\na:\n  <<: *x\n  <<: *x', ['duplicate-key 4:3+2']],
    ['1: x', ['key-type 1:1+1']],
    ['true: x', ['key-type 1:1+4']],
    ['~: x', ['key-type 1:1+1']],
    ['1.5: x', ['key-type 1:1+3']],
    ['2020-01-01: x', ['key-type 1:1+10']],
    ['? [a]\n: x', ['key-type 1:3+3']],
    ['{a: 1, : 2}', ['key-type 1:8+1']],
    ['__proto__: {polluted: 1}', ['key-type 1:1+9']],
    ['a: *x', ['unknown-anchor 1:4+2']],
    ['a: *x\nb: &x 1', ['unknown-anchor 1:4+2']],
    ['a: &x [*x]', ['alias-loop 1:8+2']],
    ['a: &x {<<: *x}', ['alias-loop 1:12+2', 'merge 1:12+2']],
    ['a: &x [1]\nb: {<<: *x}', ['merge 2:9+2']],
    ['a: &x [{p: 1}]\nb: {<<: *x}', ['merge 2:9+2']],
    ['a: {<<: 1}', ['merge 1:9+1']],
    ['a: {<<: [{p: 1}, 2]}', ['merge 1:9+11']],
    ['a: !!js/function x', ['unknown-tag 1:18+1']],
    ['a: !own {b: 1}', ['unknown-tag 1:9+6']],
    ['a: !!seq {b: 1}', ['unknown-tag 1:10+6']],
    ['a: !!set {b, c}', ['unknown-tag 1:10+6']],
    ['a: !!int x', ['wrong-value 1:10+1']],
    ['a: ! 5', ['unknown-tag 1:6+1']],
    ['a: 1\n1: 1\na: 2\nb: *q', ['key-type 2:1+1', 'duplicate-key 3:1+1', 'unknown-anchor 4:4+2']],
  ])('%j', (text, expected) => {
    expect(outcome(parse(text))).toEqual(expected);
  });

  it('says it in our words', () => {
    const { diagnostics } = parse('a: 1\nb: *x\na: 2\n8080: z\n');
    expect(diagnostics.map(({ message, hint }) => [message, hint])).toEqual([
      ['alias `*x` has no anchor before it', 'the anchor is written as `&x`, in the same document'],
      ['key `a` is already written in line 1', undefined],
      ['key `8080` is not a text', 'write it in quotes: `"8080"`'],
    ]);
  });

  it('stops counting mistakes at a hundred', () => {
    const { diagnostics } = parse('- *x\n'.repeat(500));
    expect(diagnostics).toHaveLength(101);
    expect(diagnostics.at(-1)?.code).toBe('too-large');
  });
});

const compose = `# a stack
x-log: &log
  driver: "json-file"
services:
  web:
    image: 'nginx:1.29'
    logging: *log
    ports: [ "80:80", 443 ]
    environment:
      - A=b
      - VERSION=1.10
    deploy: {replicas: 2, labels: {"a.b": c}}
    command: >-
      one
      two
volumes:
  data:
`;

describe('places', () => {
  it.each([
    [[], 'value', '2:1+11 '],
    [['services'], 'key', '4:1+8 services'],
    [['services'], 'value', '4:1+8 services'],
    [['services', 'web', 'image'], 'key', '6:5+5 services.web.image'],
    [['services', 'web', 'image'], 'value', '6:12+12 services.web.image'],
    [['services', 'web', 'logging', 'driver'], 'value', '3:11+11 services.web.logging.driver'],
    [['services', 'web', 'ports'], 'value', '8:12+16 services.web.ports'],
    [['services', 'web', 'ports', 1], 'value', '8:23+3 services.web.ports[1]'],
    [['services', 'web', 'environment', 1], 'value', '11:9+12 services.web.environment[1]'],
    [['services', 'web', 'environment'], 'value', '9:5+11 services.web.environment'],
    [
      ['services', 'web', 'deploy', 'labels', 'a.b'],
      'value',
      '12:43+1 services.web.deploy.labels["a.b"]',
    ],
    [['services', 'web', 'command'], 'value', '13:14+2 services.web.command'],
    [['volumes', 'data'], 'value', '17:3+4 volumes.data'],
    [['services', 'web', 'missing', 'deeper'], 'key', '5:3+3 services.web'],
    [['services', 'web', 'ports', 7], 'value', '8:12+16 services.web.ports'],
  ] as const)('%j, %s', (path, on, expected) => {
    const place = only(compose).place(path, on);
    const text = `${place.line}:${place.column}+${place.length} ${place.path ?? ''}`;
    expect(text).toBe(expected);
    expect(place.quoted).toBe(compose.split('\n')[place.line - 1]);
  });

  it('gives the text of scalars as it is written', () => {
    const located = only('a: 1.10\nb: "1.10"\nc: 2020-01-01\nd: [0440]\ne:\nf: |\n  x\n');
    const texts = [['a'], ['b'], ['c'], ['d', 0], ['e'], ['f'], ['d'], ['none'], ['a', 'b']];
    expect(texts.map((path) => located.text(path))).toEqual([
      '1.10',
      '1.10',
      '2020-01-01',
      '0440',
      '',
      'x\n',
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each([
    ['MYSQL_PASSWORD: hunter2', ['MYSQL_PASSWORD'], 'MYSQL_PASSWORD: [secret]'],
    ['apiKey: "hunter2"', ['apiKey'], 'apiKey: [secret]'],
    ['e: ["TOKEN=hunter2"]', ['e', 0], 'e: ["TOKEN=[secret]'],
    ['password:\n  hash: hunter2', ['password', 'hash'], '  hash: [secret]'],
    ['password: ${PASSWORD}', ['password'], 'password: [secret]'],
    ['x: 1 # password: hunter2', ['x'], 'x: 1 # password: [secret]'],
    ['PASSWORD_FILE: /run/x', ['PASSWORD_FILE'], 'PASSWORD_FILE: /run/x'],
    ['secrets: {db: {file: x}}', ['secrets', 'db', 'file'], 'secrets: {db: {file: x}}'],
  ])('never quotes a secret: %s', (text, path, quoted) => {
    expect(only(text).place(path).quoted).toBe(quoted);
  });

  it('quotes a piece of a long line', () => {
    const place = only(`a: [${'x, '.repeat(1000)}"here"]`).place(['a', 1000]);
    expect(place.column).toBe(3005);
    expect(place.quoted.length).toBeLessThanOrEqual(200);
    expect(place.quoted.slice(place.column - (place.quotedFrom ?? 1))).toBe('"here"]');
  });

  it('a file as a whole is its first line', () => {
    expect(startOf('f.yaml', 'a: 1\n')).toEqual({
      file: 'f.yaml',
      line: 1,
      column: 1,
      length: 1,
      quoted: 'a: 1',
    });
  });
});

describe('hostile texts', () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${Array.from('bcdefghi', (name, index) => {
    const before = String.fromCharCode('a'.charCodeAt(0) + index);
    return `${name}: &${name} [${`*${before}, `.repeat(9)}]\n`;
  }).join('')}`;
  const mergeBomb = `a: &a {k0: 1}\n${Array.from('bcdefghijklmnopq', (name, index) => {
    const before = String.fromCharCode('a'.charCodeAt(0) + index);
    return `${name}: &${name} {p: {<<: *${before}}, q: {<<: *${before}}, k${index}: 1}\n`;
  }).join('')}`;
  const chain = Array.from({ length: 3000 }, (_, index) =>
    index === 0
      ? 'x0: &x0 {a0: 1, b0: 1}\n'
      : `x${index}: &x${index} {<<: *x${index - 1}, a${index}: 1, b${index}: 1}\n`,
  ).join('');
  const nested = Array.from({ length: 200 }, (_, index) =>
    index === 0 ? 'x0: &x0 [1]\n' : `x${index}: &x${index} [[[*x${index - 1}]]]\n`,
  ).join('');

  it.each([
    ['1,000 flow lists', '['.repeat(1000) + ']'.repeat(1000), 'too-large'],
    ['1,000 flow lists again', '['.repeat(1000) + ']'.repeat(1000), 'too-large'],
    ['100,000 flow mappings', '{a: '.repeat(100_000), 'too-large'],
    ['100,000 open lists', '['.repeat(100_000), 'too-large'],
    ['1,000 list items in a line', '- '.repeat(1000), 'too-large'],
    ['500,000 list items in a line', '- '.repeat(500_000), 'too-large'],
    ['500,000 explicit keys in a line', '? '.repeat(500_000), 'too-large'],
    [
      'deep block mappings',
      Array.from({ length: 1000 }, (_, level) => `${' '.repeat(level)}a:\n`).join(''),
      'too-large',
    ],
    ['30,000 keys', keys(30_000), 'too-large'],
    ['100,000 keys', keys(100_000), 'too-large'],
    ['100,000 list items', '- 1\n'.repeat(100_000), 'too-large'],
    ['250,000 documents', '---\n'.repeat(250_000), 'too-large'],
    ['a scalar of 5 MB', `a: ${'x'.repeat(5_000_000)}`, 'too-large'],
    ['alias bomb', bomb, 'too-large'],
    ['merge bomb', mergeBomb, 'too-large'],
    ['chain of merges', chain, 'too-large'],
    ['aliases that nest', nested, 'too-large'],
    [
      'long scalar, many aliases',
      `- &a ${'x'.repeat(900_000)}\n${'- *a\n'.repeat(10)}`,
      'too-large',
    ],
    ['alias to its parent', 'a: &x {b: {c: *x}}', 'alias-loop'],
    ['an unclosed quote of 1 MB', `a: "${'x\n'.repeat(500_000)}`, 'syntax'],
    ['escaped quotes', `a: "${'\\"'.repeat(500_000)}\\`, 'syntax'],
    ['backslashes', `a: "${'\\'.repeat(1_000_000)}x`, 'syntax'],
    ['only anchors', '&a '.repeat(300_000), 'too-large'],
    ['only tags', '!a '.repeat(300_000), 'too-large'],
    ['closing brackets', ']'.repeat(1_000_000), 'syntax'],
  ])('%s: one diagnostic', (_, text, code) => {
    const { documents, diagnostics } = parse(text);
    expect(documents).toEqual([]);
    expect(diagnostics.map((one) => one.code)).toEqual([code]);
  });

  it.each([
    ['300,000 blank lines', `a: 1\n${'\n'.repeat(300_000)}b: 2`],
    ['1 MB of comments', `a: 1\n${'# x\n'.repeat(250_000)}b: 2`],
    ['1 MB of spaces', `a: 1\n${' '.repeat(1_000_000)}\nb: 2`],
    ['a scalar of 1 MB', `a: 1\nc: ${'x '.repeat(500_000)}\nb: 2`],
    ['a text of 1 MB in 500,000 lines', `a: 1\nc: |\n${' x\n'.repeat(300_000)}b: 2`],
    ['a plain scalar in 300,000 lines', `a: 1\nc: x\n${' x\n'.repeat(300_000)}b: 2`],
    ['comments of all depths', `a: 1\n${'    # x\n  # y\n'.repeat(60_000)}b: 2`],
    ['just below the limits', `a: 1\n${keys(9000)}b: ${'['.repeat(63)}2${']'.repeat(63)}`],
  ])('%s: a value', (_, text) => {
    const { documents, diagnostics } = parse(text);
    expect(diagnostics).toEqual([]);
    expect(documents).toHaveLength(1);
    expect(documents[0]?.value).toMatchObject({ a: 1 });
  });

  // With the library's own check of keys this takes minutes: the time limit of the test is the bound.
  it('the work grows with the size, not with its square', () => {
    const limits = { entriesMax: 1_000_000, charactersMax: 10_000_000 };
    const { documents } = parseYaml('f.yaml', keys(60_000), { limits });
    expect(Object.keys(Object(documents[0]?.value))).toHaveLength(60_000);
  }, 30_000);

  it('pollutes nothing', () => {
    parse('a: {__proto__: {polluted: 1}}\nb: {<<: {__proto__: {polluted: 1}}}');
    parse('constructor: {prototype: {polluted: 1}}');
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it('each limit lets through what is just below it', () => {
    expect(withLimits('a: 12', { charactersMax: 5 })).toEqual([{ a: 12 }]);
    expect(withLimits('a: 123', { charactersMax: 5 })).toEqual(['too-large 1:1+1']);
    expect(withLimits('[[[]]]', { depthMax: 3 })).toEqual([[[[]]]]);
    expect(withLimits('[[[[]]]]', { depthMax: 3 })).toEqual(['too-large 1:1+8']);
    expect(withLimits('a: 1\nb: 2', { entriesMax: 2 })).toEqual([{ a: 1, b: 2 }]);
    expect(withLimits('a: 1\nb: 2\nc: 3', { entriesMax: 2 })).toEqual(['too-large 3:2+1']);
    expect(withLimits('- &a xx\n- *a', { expandedCharactersMax: 4 })).toEqual([['xx', 'xx']]);
    expect(withLimits('- &a xxx\n- *a', { expandedCharactersMax: 4 })).toEqual(['too-large 1:1+8']);
  });
});

describe('any text', () => {
  // prettier-ignore
  const pieces = fc.constantFrom(
    'a', 'b: ', '- ', '? ', ': ', '[', ']', '{', '}', ', ', '\n', '  ', '\t', '"', "'", '|\n',
    '>\n', '&a ', '*a', '<<: ', '!!int ', '!x ', '#', '%', '---\n', '...\n', '\\', '0', '1.5',
    '\r\n', '\ufeff', '\0', '\ud800', '__proto__: ', '~', '@', '`', 'é', '😀',
  );
  const yamlish = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''));
  const texts = fc.oneof(yamlish, fc.string({ unit: 'binary' }), fc.string());

  it('never throws; has values or mistakes, never both; places lie inside the text', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { documents, diagnostics } = parse(text);
        expect(documents.length > 0 && diagnostics.length > 0).toBe(false);
        const silent = documents.length + diagnostics.length === 0;
        const written = text.replaceAll(/#.*|^\.\.\.(?=\s|$)/gmu, '').trim();
        expect(silent && written !== '').toBe(false);
        const lines = text.split('\n').map((line) => line.replace(/\r$/u, ''));
        for (const { place } of diagnostics) {
          const line = lines[(place?.line ?? 0) - 1];
          if (place === undefined || line === undefined) throw new Error('no place');
          expect(place.column).toBeGreaterThanOrEqual(1);
          expect(place.column).toBeLessThanOrEqual(line.length + 1);
          expect(place.length).toBeGreaterThanOrEqual(1);
          expect(place.column + place.length).toBeLessThanOrEqual(line.length + 2);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('reads JSON as JSON does', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value, null, 1);
        const { documents, diagnostics } = parse(text);
        // What JSON may hold and a repository may not.
        fc.pre(!/__proto__|[\x7f-\x9f\u2028\u2029\ufffe\uffff\ufeff]|e[+-]?\d{3}/u.test(text));
        expect(diagnostics).toEqual([]);
        expect(normal(documents[0]?.value)).toEqual(normal(value));
      }),
      { numRuns: 300 },
    );
  });

  it('a file cut at any point is an error or the beginning of the same file, never something else', () => {
    const { value } = only(compose);
    for (let end = 0; end < compose.length; end += 1) {
      const { documents, diagnostics } = parse(compose.slice(0, end));
      expect(diagnostics.length > 0 && documents.length > 0).toBe(false);
      expect(documents.every((one) => isPrefix(one.value, value))).toBe(true);
    }
  });

  it('what YAML calls an error is never a smaller document: no beginning of JSON is one', () => {
    const whole = fc.oneof(
      fc.array(fc.jsonValue({ maxDepth: 2 })),
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })),
      fc.string().map((text) => ({ text: `${text}"'\\` })),
    );
    fc.assert(
      fc.property(whole, (value) => {
        const text = JSON.stringify(value);
        for (let end = 1; end < text.length; end += 1) {
          expect(parse(text.slice(0, end)).documents).toEqual([]);
        }
      }),
      { numRuns: 30 },
    );
  }, 30_000);

  it('a quoted text that is cut is an error, at every point', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('single', 'double'), (content, style) => {
        // A doubled quote that is cut in two ends the text: no reader can tell.
        const quoted =
          style === 'single' ? `'${content.replaceAll("'", '')}'` : JSON.stringify(content);
        for (let end = 1; end < quoted.length; end += 1) {
          expect(parse(`a: ${quoted.slice(0, end)}`).documents).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  }, 30_000);
});

function keys(count: number): string {
  return Array.from({ length: count }, (_, index) => `key${index}: ${index}\n`).join('');
}

function normal(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, plainNumber)) ?? null;
}

function plainNumber(_: string, part: unknown): unknown {
  return typeof part === 'bigint' ? Number(part) : part;
}

/** A cut block document lacks later parts, and its last scalar may be shorter or not there at all. */
function isPrefix(cut: unknown, whole: unknown): boolean {
  if (typeof cut !== 'object' || cut === null) return true;
  const full = new Map(Object.entries(Object(whole)));
  const [last, ...others] = Object.entries(cut).toReversed();
  return (
    last !== undefined &&
    others.every(([key, value]) => full.has(key) && isPrefix(value, full.get(key)))
  );
}

function withLimits(text: string, limits: Partial<Limits>): unknown {
  return outcome(parseYaml('f.yaml', text, { limits }));
}

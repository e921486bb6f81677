import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { check } from '../../agent/core/check.ts';
import type { CheckOptions } from '../../agent/core/check.ts';
import { formatText } from '../../agent/core/format.ts';
import { parseYaml } from '../../agent/core/parse.ts';
import type { Located } from '../../agent/core/parse.ts';

function located(text: string, exact = false): Located {
  const { documents, diagnostics } = parseYaml('f.yaml', text, { exact });
  expect(diagnostics).toEqual([]);
  const [first] = documents;
  if (first === undefined) throw new Error('no document');
  return first;
}

/** `code line:column+length message | hint` of every diagnostic. */
function found(text: string, schema: z.ZodType, options?: CheckOptions): readonly string[] {
  return check(located(text), schema, options).diagnostics.map(({ code, place, message, hint }) => {
    const at = `${place?.line}:${place?.column}+${place?.length}`;
    return `${code} ${at} ${message}${hint === undefined ? '' : ` | ${hint}`}`;
  });
}

const Duration = z
  .string({ error: 'write a duration such as `1m30s`' })
  .regex(/^\d+[smh]$/u, { error: 'write a duration such as `1m30s`' })
  .transform((text) => Number.parseInt(text, 10));

const Port = z.union([
  z.int().min(1),
  z.string().meta({ expected: 'a port such as `80:80`' }),
  z.strictObject({
    target: z.int(),
    published: z.int().optional(),
    mode: z.enum(['host', 'ingress']).optional(),
  }),
]);

const Probe = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('http'), url: z.string() }),
  z.strictObject({ type: z.literal('tcp'), port: z.int() }),
]);

const Service = z.strictObject({
  image: z.string(),
  command: z.string().or(z.array(z.string())).optional(),
  interval: Duration.optional(),
  mode: z.enum(['replicated', 'global']).default('replicated'),
  replicas: z.int().min(0).max(100).optional(),
  ratio: z.number().optional(),
  read_only: z.boolean().optional(),
  ports: z.array(Port).optional(),
  probe: Probe.optional(),
  labels: z
    .record(z.string().regex(/^[a-z.]+$/u, { error: 'lower-case letters and dots' }), z.string())
    .optional(),
  password: z.enum(['generate', 'file']).optional(),
  version: z.literal(1).optional(),
  size: z.string().meta({ expected: 'a size such as `10Gi`' }).optional(),
});

const Stack = z.strictObject({ services: z.record(z.string(), Service) });

const web = (text: string): string => `services:\n  web: {${text}}\n`;

function unsupported(path: readonly (string | number)[], key: string): string | undefined {
  return path.length === 2 && key === 'restart' ? 'use `deploy.restart_policy`' : undefined;
}

describe('a value', () => {
  it('is what the schema makes of it', () => {
    const { value, diagnostics } = check(located(web('image: x, interval: 30s')), Stack);
    expect(diagnostics).toEqual([]);
    expect(value).toEqual({ services: { web: { image: 'x', interval: 30, mode: 'replicated' } } });
  });

  it('is absent where anything is wrong', () => {
    expect(check(located(web('image: 5')), Stack)).not.toHaveProperty('value');
  });
});

describe('each mistake at its place, in our words', () => {
  it.each([
    ['a key that is not there', '', ['missing-key 2:3+3 missing key `image`']],
    [
      'a misspelled key, reported once',
      'imgae: x',
      ['unknown-key 2:9+5 unknown key `imgae` | did you mean `image`?'],
    ],
    [
      'a key nobody knows does not explain the missing one',
      'foo: x',
      ['missing-key 2:3+3 missing key `image`', 'unknown-key 2:9+3 unknown key `foo`'],
    ],
    ['a number for a text', 'image: 5', ['wrong-type 2:16+1 expected a text, found a number']],
    ['nothing for a text', 'image: ', ['wrong-type 2:9+5 expected a text, found nothing']],
    [
      "the schema's words",
      'image: x, interval: 5',
      ['wrong-type 2:29+1 write a duration such as `1m30s`, not a number'],
    ],
    [
      "the schema's words for a wrong text",
      'image: x, interval: soon',
      ['wrong-value 2:29+4 write a duration such as `1m30s`'],
    ],
    [
      'what meta() expects',
      'image: x, size: 5',
      ['wrong-type 2:25+1 expected a size such as `10Gi`, found a number'],
    ],
    [
      'one of a list',
      'image: x, mode: globl',
      ['wrong-value 2:25+5 expected one of `replicated`, `global` | did you mean `global`?'],
    ],
    ['a single value', 'image: x, version: 2', ['wrong-value 2:28+1 expected `1`']],
    [
      'a fraction',
      'image: x, replicas: 1.5',
      ['wrong-type 2:29+3 expected a whole number, found a number that is not whole'],
    ],
    ['too small', 'image: x, replicas: -1', ['wrong-value 2:29+2 expected at least 0']],
    ['too big', 'image: x, replicas: 101', ['wrong-value 2:29+3 expected at most 100']],
    [
      'beyond 2^53',
      'image: x, ratio: 12345678901234567890',
      ['wrong-type 2:26+20 expected a number, found a number beyond 2^53'],
    ],
    [
      'not a number',
      'image: x, ratio: .nan',
      ['wrong-type 2:26+4 expected a number, found `.nan`'],
    ],
    [
      'a boolean',
      'image: x, read_only: yes',
      ['wrong-type 2:30+3 expected `true` or `false`, found a text'],
    ],
    [
      'two types',
      'image: x, command: {a: b}',
      ['wrong-type 2:28+6 expected a text or a list, found a mapping'],
    ],
    [
      'the branch that was meant',
      'image: x, command: [a, 5]',
      ['wrong-type 2:32+1 expected a text, found a number'],
    ],
    [
      'the branch that was meant, with a misspelled key',
      'image: x, ports: [{taget: 80, mode: host}]',
      ['unknown-key 2:28+5 unknown key `taget` | did you mean `target`?'],
    ],
    [
      'the branch that was meant, deeper',
      'image: x, ports: [80, {target: 80, mode: hosts}]',
      ['wrong-value 2:50+5 expected one of `host`, `ingress` | did you mean `host`?'],
    ],
    ['the branch by its type', 'image: x, ports: [0]', ['wrong-value 2:27+1 expected at least 1']],
    [
      'no branch at all',
      'image: x, ports: [[80]]',
      ['wrong-type 2:27+4 expected a port such as `80:80`, found a list'],
    ],
    [
      'a wrong discriminator',
      'image: x, probe: {type: htp, url: x}',
      ['wrong-value 2:33+3 expected one of `http`, `tcp` | did you mean `http`?'],
    ],
    [
      'a missing discriminator',
      'image: x, probe: {url: x}',
      ['missing-key 2:19+5 missing key `type`'],
    ],
    [
      'a branch by its discriminator',
      'image: x, probe: {type: tcp}',
      ['missing-key 2:19+5 missing key `port`'],
    ],
    [
      'a key that is not allowed',
      'image: x, labels: {A: b}',
      ['wrong-value 2:28+1 `A` is not allowed as a key here | lower-case letters and dots'],
    ],
    [
      'a list for a mapping',
      'image: x, labels: [a]',
      ['wrong-type 2:27+3 expected a mapping, found a list'],
    ],
    [
      'a name of the language',
      'image: x, constructor: 1',
      ['unknown-key 2:19+11 unknown key `constructor`'],
    ],
    [
      'everything at once',
      'imgae: x, mode: globl, replicas: a, nope: 1',
      [
        'unknown-key 2:9+5 unknown key `imgae` | did you mean `image`?',
        'wrong-value 2:25+5 expected one of `replicated`, `global` | did you mean `global`?',
        'wrong-type 2:42+1 expected a whole number, found a text',
        'unknown-key 2:45+4 unknown key `nope`',
      ],
    ],
  ])('%s', (_, text, expected) => {
    expect(found(web(text), Stack)).toEqual(expected);
  });

  it('the document as a whole', () => {
    expect(found('[a]', Stack)).toEqual(['wrong-type 1:1+3 expected a mapping, found a list']);
    expect(found('---\n', Stack)).toEqual(['wrong-type 1:4+1 expected a mapping, found nothing']);
    expect(found('a: 1', Stack)).toEqual([
      'missing-key 1:1+4 missing key `services`',
      'unknown-key 1:1+1 unknown key `a`',
    ]);
  });

  it('once, where an alias leads to the same line twice', () => {
    const text = 'services:\n  a: &a {image: 5}\n  b: *a\n';
    expect(found(text, Stack)).toEqual(['wrong-type 2:17+1 expected a text, found a number']);
  });

  it('says what to write instead of an unsupported key', () => {
    expect(found(web('image: x, restart: always, restrat: no'), Stack, { unsupported })).toEqual([
      'unsupported-key 2:19+7 key `restart` is not supported | use `deploy.restart_policy`',
      'unknown-key 2:36+7 unknown key `restrat`',
    ]);
  });

  it("custom issues may name a code and a hint of the schema's own", () => {
    const Either = z.strictObject({ a: z.int().optional(), b: z.int().optional() });
    const schema = Either.superRefine(({ a, b }, context) => {
      if (a === undefined || b === undefined) return;
      const params = { code: 'conflict', hint: 'keep one of them' };
      context.addIssue({
        code: 'custom',
        message: '`a` and `b` exclude each other',
        path: ['b'],
        params,
      });
    });
    expect(found('a: 1\nb: 2', schema)).toEqual([
      'conflict 2:4+1 `a` and `b` exclude each other | keep one of them',
    ]);
  });

  it('never shows the value of a secret', () => {
    const text = 'services:\n  web:\n    image: x\n    password: hunter2\n';
    const { diagnostics } = check(located(text), Stack);
    expect(diagnostics).toHaveLength(1);
    expect(JSON.stringify(diagnostics)).not.toContain('hunter2');
  });

  it('stops at a hundred', () => {
    const text = Array.from({ length: 300 }, (_, index) => `key${index}: 1\n`).join('');
    const { diagnostics } = check(located(text), z.strictObject({}));
    expect(diagnostics).toHaveLength(101);
    expect(diagnostics.at(-1)?.code).toBe('too-large');
  });
});

describe('any document', () => {
  const yaml = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value));
  const near = fc
    .record(
      {
        image: fc.oneof(fc.string(), fc.integer()),
        mode: fc.jsonValue({ maxDepth: 1 }),
        ports: fc.array(fc.jsonValue({ maxDepth: 2 })),
        probe: fc.jsonValue({ maxDepth: 2 }),
        labels: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 })),
        imgae: fc.string(),
      },
      { requiredKeys: [] },
    )
    .map((service) => JSON.stringify({ services: { web: service } }));

  it('has a value or mistakes with a place, a code and a message; never both, never none', () => {
    fc.assert(
      fc.property(fc.oneof(yaml, near), fc.boolean(), (text, exact) => {
        const [document] = parseYaml('f.yaml', text, { exact }).documents;
        if (document === undefined) return;
        const { value, diagnostics } = check(document, Stack);
        expect(value === undefined).toBe(diagnostics.length > 0);
        for (const { message, place } of diagnostics) {
          expect(message).not.toBe('');
          expect(message).not.toMatch(/invalid input|undefined|\.$/iu);
          expect(place?.quoted).toBeTypeOf('string');
        }
        formatText(diagnostics, { colour: true });
      }),
      { numRuns: 300 },
    );
  });

  it('each renamed key is an error', () => {
    const text =
      'services:\n  web:\n    image: x\n    mode: global\n    ports:\n      - target: 80\n        mode: host\n';
    for (const [key] of text.matchAll(/(?<=\n\s*(?:- )?)(?!web)[a-z]+(?=:)|^services/gu)) {
      const [diagnostic] = check(located(text.replace(`${key}:`, `${key}x:`)), Stack).diagnostics;
      expect(diagnostic).toMatchObject({ code: 'unknown-key', hint: `did you mean \`${key}\`?` });
    }
  });
});

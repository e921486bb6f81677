import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { check } from '../../agent/core/check.ts';
import type { Diagnostic, Place } from '../../agent/core/diagnostic.ts';
import { formatAnnotations, formatJson, formatText } from '../../agent/core/format.ts';
import { parseYaml } from '../../agent/core/parse.ts';

const golden = join(import.meta.dirname, '../golden/diagnostics');

const User = z.strictObject({
  kind: z.literal('MySQLUser'),
  name: z.string(),
  password: z.string(),
  roles: z.array(z.enum(['reader', 'writer'])).optional(),
  retention: z
    .string({ error: 'write a duration such as `30d`' })
    .regex(/^\d+d$/u, { error: 'write a duration such as `30d`' })
    .optional(),
});

/** The diagnostics of a file, the schema's included where it is YAML at all. */
function diagnose(file: string, text: string): readonly Diagnostic[] {
  const { documents, diagnostics } = parseYaml(file, text);
  return [...diagnostics, ...documents.flatMap((one) => check(one, User).diagnostics)];
}

describe('golden files: YAML beside what its author sees', () => {
  it.each(['unknown-key', 'many', 'syntax', 'tabs', 'duplicate', 'odd-characters', 'long-line'])(
    '%s',
    async (name) => {
      const text = readFileSync(join(golden, `${name}.yaml`), 'utf8');
      const diagnostics = diagnose(`mysql/${name}.yaml`, text);
      expect(diagnostics).not.toEqual([]);
      await expect(formatText(diagnostics, { colour: false })).toMatchFileSnapshot(
        join(golden, `${name}.txt`),
      );
    },
  );

  it('JSON, annotations and colours of the same', async () => {
    const text = readFileSync(join(golden, 'many.yaml'), 'utf8');
    const diagnostics = diagnose('mysql/many.yaml', text);
    await expect(formatJson(diagnostics)).toMatchFileSnapshot(join(golden, 'many.json'));
    await expect(formatAnnotations(diagnostics)).toMatchFileSnapshot(
      join(golden, 'many.annotations.txt'),
    );
    await expect(formatText(diagnostics, { colour: true })).toMatchFileSnapshot(
      join(golden, 'many.ansi.txt'),
    );
  });
});

function place(parts: Partial<Place> = {}): Place {
  return { file: 'a.yaml', line: 1, column: 1, length: 1, quoted: 'a: 1', ...parts };
}

function diagnostic(parts: Partial<Diagnostic> = {}): Diagnostic {
  return { severity: 'error', code: 'syntax', message: 'wrong', place: place(), ...parts };
}

function at(file: string, line: number, column: number): Diagnostic {
  return diagnostic({ place: place({ file, line, column }) });
}

function text(...diagnostics: readonly Diagnostic[]): string {
  return formatText(diagnostics, { colour: false });
}

function head(column: number): readonly string[] {
  return [` --> a.yaml:1:${column}`, '  |'];
}

// Everything that moves the cursor, changes colours or turns text around; line ends are ours.
const control = /(?!\n)[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

describe('text', () => {
  it('is empty where nothing is wrong', () => {
    expect(text()).toBe('');
  });

  it.each([
    ['1 error in 1 file', [diagnostic()]],
    ['2 errors in 1 file', [diagnostic(), diagnostic({ place: place({ line: 2 }) })]],
    [
      '1 error, 2 warnings in 2 files',
      [
        diagnostic(),
        diagnostic({ severity: 'warning' }),
        diagnostic({ severity: 'warning', place: place({ file: 'b.yaml' }) }),
      ],
    ],
    ['1 warning', [{ severity: 'warning', code: 'syntax', message: 'x' } as const]],
  ])('ends with %s', (summary, diagnostics) => {
    expect(
      text(...diagnostics)
        .trimEnd()
        .split('\n')
        .at(-1),
    ).toBe(summary);
  });

  it('is sorted by file, line and column, without a place first', () => {
    const shown = text(at('b', 1, 1), at('a', 10, 1), at('a', 9, 2), at('a', 9, 1), {
      severity: 'error',
      code: 'render-failed',
      message: 'nowhere',
    });
    expect(shown.match(/(?<=--> ).*|nowhere/gu)).toEqual([
      'nowhere',
      'a:9:1',
      'a:9:2',
      'a:10:1',
      'b:1:1',
    ]);
  });

  it.each([
    ['nothing is quoted', { quoted: '' }, [' --> a.yaml:1:1']],
    ['behind the end of the line', { column: 5 }, [...head(5), '1 | a: 1', '  |     ^']],
    ['longer than the line', { length: 99 }, [...head(1), '1 | a: 1', '  | ^^^^']],
    [
      'tabs are four columns',
      { quoted: '\ta:\t1', column: 5, length: 1 },
      [...head(5), '1 |     a:    1', '  |           ^'],
    ],
    [
      'wide and combining characters',
      { quoted: '日本: e\u0301 x', column: 8, length: 1 },
      [...head(8), '1 | 日本: e\u0301 x', `  | ${' '.repeat(8)}^`],
    ],
    [
      'a cut line',
      { quoted: 'abc', column: 102, quotedFrom: 101, length: 2 },
      [...head(102), '1 | …abc', '  |   ^^'],
    ],
  ])('underlines: %s', (_, parts, expected) => {
    const lines = text(diagnostic({ place: place(parts) })).split('\n');
    expect(lines.slice(1, -3)).toEqual(expected);
  });

  it('shows control characters, never passes them on', () => {
    const evil = '\x1b[31mred\x07\x9b\u202e\u2066\r\n\x00';
    const one = diagnostic({
      message: `bad ${evil}`,
      hint: evil,
      place: place({ file: evil, quoted: evil, path: evil }),
    });
    const shown = text(one);
    expect(shown).not.toMatch(control);
    expect(shown).toContain('bad \\x1b[31mred\\x07\\x9b\\u{202e}\\u{2066}\\x0d\\n\\x00');
    expect(formatJson([one])).not.toMatch(control);
    expect(formatAnnotations([one]).split('\n')).toHaveLength(2);
  });

  const anyDiagnostic = fc.record({
    severity: fc.constantFrom('error' as const, 'warning' as const),
    code: fc.constantFrom('syntax' as const, 'unknown-key' as const),
    message: fc.string({ unit: 'binary' }),
    place: fc.record({
      file: fc.string({ unit: 'binary' }),
      line: fc.integer({ min: 1, max: 1e6 }),
      column: fc.integer({ min: 1, max: 1000 }),
      length: fc.integer({ min: 1, max: 1000 }),
      quoted: fc.string({ unit: 'binary' }),
    }),
  });

  it('of any diagnostic has no control characters but line ends', () => {
    fc.assert(
      fc.property(fc.array(anyDiagnostic), (diagnostics) => {
        const shown = text(...diagnostics) + formatAnnotations(diagnostics);
        expect(shown).not.toMatch(control);
        expect(JSON.parse(formatJson(diagnostics)).diagnostics).toHaveLength(diagnostics.length);
      }),
    );
  });
});

describe('annotations', () => {
  it('escape what GitHub reads', () => {
    const one = diagnostic({
      code: 'unknown-key',
      message: '100% of `a`: b',
      hint: 'write `c`',
      place: place({ file: 'a,b:c%.yaml', line: 3, column: 4, length: 2 }),
    });
    expect(formatAnnotations([one])).toBe(
      '::error file=a%2Cb%3Ac%25.yaml,line=3,col=4,endColumn=6,title=unknown-key' +
        '::100%25 of `a`: b%0Ahint: write `c`\n',
    );
  });

  it('without a place have none', () => {
    expect(formatAnnotations([{ severity: 'warning', code: 'syntax', message: 'x' }])).toBe(
      '::warning title=syntax::x\n',
    );
  });
});

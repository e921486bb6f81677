import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnosticCodes } from '../../agent/core/codes.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');
const sections = page.split(/^## /mu).slice(1);
const codes = Object.keys(diagnosticCodes);

describe('docs/errors.md', () => {
  it('has a section for every code and no other, in alphabetical order', () => {
    expect(sections.map((section) => section.split('\n', 1)[0])).toEqual(codes.toSorted());
  });

  it.each(sections.map((section) => [section.split('\n', 1)[0], section]))(
    '%s says what is wrong, why, and what is right',
    (_, section) => {
      expect(section).toMatch(/^Wrong:[^]*^Why: [^]*^Right: /mu);
    },
  );
});

describe('codes', () => {
  it.each(Object.entries(diagnosticCodes))('%s has a title like a message', (code, title) => {
    expect(code).toMatch(/^[a-z]+(?:-[a-z]+)*$/u);
    expect(title).toMatch(/^(?:[a-z]|Git|YAML).*[^.]$/u);
  });
});

import { describe, expect, it } from 'vitest';
import { createPrinter, formatElapsed, printable, wantsColour } from '../../agent/cli/printer.ts';

function collect(colour: boolean) {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    colour,
  };
  return { io, out, err };
}

describe('formatElapsed', () => {
  it.each([
    [0, '    0.0s'],
    [149, '    0.1s'],
    [59_999, '   59.9s'],
    [60_000, ' 1m00.0s'],
    [61_250, ' 1m01.2s'],
    [3_599_900, '59m59.9s'],
    [-5, '    0.0s'],
  ])('%d ms is `%s`', (ms, text) => expect(formatElapsed(ms)).toBe(text));
});

describe('wantsColour', () => {
  it.each([
    ['a terminal', { isTTY: true }, {}, true],
    ['a pipe', {}, {}, false],
    ['NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR, which asks for nothing', { isTTY: true }, { NO_COLOR: '' }, true],
    ['a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, false],
  ])('%s', (_, stream, environment, colour) =>
    expect(wantsColour(stream, environment)).toBe(colour),
  );
});

describe('createPrinter', () => {
  it('counts from its making, and indents further lines alike', () => {
    const { io, out } = collect(false);
    let now = 1_000;
    const print = createPrinter(io, () => now);
    now = 3_500;
    print.line('first\nsecond');
    expect(out.join('')).toBe('    2.5s  first\n          second\n');
  });

  it('paints only when colour is wanted', () => {
    const { io, out, err } = collect(true);
    const print = createPrinter(io, () => 0);
    print.plain('good', 'good');
    print.plain('plain');
    print.error('bad');
    expect(out).toEqual(['\u001b[32mgood\u001b[0m\n', 'plain\n']);
    expect(err).toEqual(['\u001b[31mbad\u001b[0m\n']);
  });

  it('lets no escape sequence of a text through', () => {
    const { io, out } = collect(true);
    createPrinter(io, () => 0).plain('a\u001b[2Jb\u009b1mc\rd\u202ee');
    expect(out.join('')).toBe('a [2Jb 1mc d e\n');
  });
});

describe('printable', () => {
  it('keeps line ends and letters of all scripts', () =>
    expect(printable('ä\nß 日本')).toBe('ä\nß 日本'));
});

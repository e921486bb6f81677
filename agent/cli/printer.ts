/** Where a command writes. `out` and `err` take text as it is, line ends included. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
  readonly colour: boolean;
}

/** What a line means to its reader. */
export type Tone = 'plain' | 'good' | 'bad' | 'dim' | 'strong';

/** Prints lines for people; every line of a text that has several is indented alike. */
export interface Printer {
  /** A line with the elapsed time at its left. */
  line(text: string, tone?: Tone): void;
  /** A line without a time. */
  plain(text: string, tone?: Tone): void;
  /** A line on the error output. */
  error(text: string): void;
}

const codes = { plain: '', good: '32', bad: '31', dim: '2', strong: '1' } as const;

/** A printer whose times count from now. Milliseconds come from `nowMs`. */
export function createPrinter(output: Output, nowMs: () => number): Printer {
  const startMs = nowMs();
  const paint = (text: string, tone: Tone): string => paintText(text, tone, output.colour);
  return {
    line: (text, tone = 'plain') => {
      const [first = '', ...rest] = printable(text).split('\n');
      const time = formatElapsed(nowMs() - startMs);
      output.out(`${paint(time, 'dim')}  ${paint(first, tone)}\n`);
      for (const more of rest) output.out(`${' '.repeat(time.length)}  ${paint(more, tone)}\n`);
    },
    plain: (text, tone = 'plain') => {
      for (const line of printable(text).split('\n')) output.out(`${paint(line, tone)}\n`);
    },
    error: (text) => {
      for (const line of printable(text).split('\n')) output.err(`${paint(line, 'bad')}\n`);
    },
  };
}

/** Pure. Colour is for terminals whose owner did not decline it (https://no-color.org). */
export function wantsColour(
  stream: { readonly isTTY?: boolean | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const declined = environment['NO_COLOR'];
  return (
    stream.isTTY === true &&
    (declined === undefined || declined === '') &&
    environment['TERM'] !== 'dumb'
  );
}

/** Pure. Elapsed milliseconds in eight columns: seconds with a tenth, from a minute on with minutes. */
export function formatElapsed(ms: number): string {
  const tenths = Math.max(0, Math.floor(ms / 100));
  const minutes = Math.floor(tenths / 600);
  const seconds = ((tenths % 600) / 10).toFixed(1);
  return (minutes === 0 ? `${seconds}s` : `${minutes}m${seconds.padStart(4, '0')}s`).padStart(8);
}

/** Pure. A text without what would move a terminal's cursor or change its state: it may come from anywhere. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- exactly these are looked for
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, ' ');
}

function paintText(text: string, tone: Tone, colour: boolean): string {
  const code = codes[tone];
  return !colour || code === '' || text === '' ? text : `\u001b[${code}m${text}\u001b[0m`;
}

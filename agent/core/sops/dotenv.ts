import { Lines } from '../lines.ts';
import type { Leaf, SopsRead } from './text.ts';

const PREFIX = 'sops_';

/** Pure. Reads lines as SOPS does: `KEY=VALUE`, nothing quoted, `\n` for a line break. */
export function readDotenv(file: string, text: string): SopsRead {
  const lines = new Lines(file, text);
  const [leaves, comments]: Leaf[][] = [[], []];
  const flat = new Map<string, string>();
  const cuts = [];
  let start = 0;
  for (const line of text.split('\n')) {
    const end = start + line.length;
    const equals = line.indexOf('=');
    const key = line.slice(0, Math.max(0, equals));
    if (line.startsWith('#')) {
      comments?.push({ path: [], range: { start: start + 1, end }, value: line.slice(1) });
    } else if (key.startsWith(PREFIX)) {
      flat.set(key.slice(PREFIX.length), unescaped(line.slice(equals + 1)));
      cuts.push({ start, end: end + 1 });
    } else if (equals >= 0) {
      const range = { start: start + equals + 1, end };
      leaves?.push({ path: [key], range, value: unescaped(line.slice(equals + 1)) });
    } else if (line !== '') {
      const place = lines.place({ start, end });
      const message = 'the line is neither `KEY=VALUE` nor a comment';
      const mistake = { severity: 'error' as const, code: 'syntax' as const, message };
      return { status: 'wrong', diagnostics: [{ ...mistake, place: { ...place, quoted: '' } }] };
    }
    start = end + 1;
  }
  const metadata = flat.size === 0 ? undefined : unflattened(flat);
  const document = { format: 'dotenv' as const, text, lines, metadata, cuts };
  return {
    status: 'read',
    document: { ...document, leaves: leaves ?? [], comments: comments ?? [] },
  };
}

function unescaped(text: string): string {
  return text.replaceAll('\\n', '\n');
}

/** Pure. A value as it stands in a line. */
export function dotenvText(text: string): string {
  return text.replaceAll('\n', '\\n');
}

/** `age__list_0__map_enc` and the like, as far as this program reads them. */
function unflattened(flat: ReadonlyMap<string, string>): Record<string, unknown> {
  const plain = [...flat].filter(([key]) => !/__(?:list|map)_/.test(key));
  const lists = new Map<string, Record<string, string>[]>();
  for (const [key, value] of flat) {
    const [, name = '', index = '', field = ''] =
      /^([a-z_]+?)__list_(\d{1,3})__(?:map|list)_(.+)$/.exec(key) ?? [];
    if (name === '') continue;
    const list = lists.get(name) ?? [];
    const item = (list[Number(index)] ??= {});
    item[field] = value;
    lists.set(name, list);
  }
  const items = [...lists].map(([name, list]) => [name, list.filter(Boolean)] as const);
  return Object.fromEntries<unknown>([...plain, ...items]);
}

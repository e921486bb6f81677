import { listedHost, mappedHost } from './hosts.ts';
import { bytewise } from './names.ts';
import type { Notes } from './notes.ts';
import type { Part } from './parts.ts';
import { fieldOf, itemsOf, partFrom, valueOf } from './parts.ts';

/**
 * `logging` of both files. Of one driver, or where one of them names none, the options are merged, unless the first file has
 * none at all: then those of the second are lost. Seen with CLI 28.2.2.
 */
export function mergeLogging(base: Part, over: Part, notes: Notes): Part {
  if (base.kind !== 'map' || over.kind !== 'map') return over;
  const [driver, later] = [driverOf(base), driverOf(over)];
  if (driver !== '' && later !== '' && driver !== later) return over;
  const fields = new Map(base.fields);
  const named = fieldOf(driver === '' ? over : base, 'driver');
  if (named !== undefined) fields.set('driver', named);
  const [options, more] = [fieldOf(base, 'options'), fieldOf(over, 'options')];
  if (more?.kind === 'map') {
    if (options?.kind === 'map') {
      const both = new Map([...options.fields, ...more.fields]);
      fields.set('options', { ...options, fields: both });
    } else if (more.fields.size > 0) {
      const message = `these options are dropped, because \`${base.from.located.file}\` has none, as by the CLI where files are merged`;
      const hint = 'write `options: {}` there';
      notes.within(more.from.located).warn('merge-loss', more.from.path, message, hint);
    }
  }
  return { ...base, fields };
}

function driverOf(logging: Part): string {
  const driver = fieldOf(logging, 'driver');
  return driver === undefined ? '' : String(valueOf(driver));
}

/** `extra_hosts` of one file as a list of `host:address`, whatever its form: a host of a mapping may have a `=`. */
export function hostsPart(part: Part): Part {
  const hosts =
    part.kind === 'map'
      ? [...part.fields].map(([host, item]) => ({ item, text: mappedHost(host, textOf(item)) }))
      : itemsOf(part).map((item) => ({ item, text: listedHost(textOf(item) ?? '') }));
  const sorted =
    part.kind === 'map'
      ? hosts.toSorted((one, other) => bytewise(one.text ?? '', other.text ?? ''))
      : hosts;
  const items = sorted.flatMap(({ item, text }) =>
    text === undefined ? [] : [partFrom(text, item.from)],
  );
  return { kind: 'list', from: part.from, items };
}

function textOf(part: Part): string | null {
  const value = valueOf(part);
  return typeof value === 'string' ? value : null;
}

import type { LongPort } from '../../../../schemas/compose-service.ts';
import { noteDuplicates, splitPair } from './labels.ts';
import { bytewise } from './names.ts';
import type { Notes } from './notes.ts';
import type { Origin, Part } from './parts.ts';
import { fieldOf, itemsOf, partFrom, valueOf } from './parts.ts';
import { shortPorts } from './ports.ts';
import { present } from './present.ts';
import { shortVolume } from './mounts.ts';
import { isMapping } from './variables.ts';

/** What all lists of two files share. */
export interface Shared {
  readonly notes: Notes;
  /** How much may still be made of short forms. */
  readonly budget: { ports: number };
}

type Keyed = 'ports' | 'volumes' | 'configs' | 'secrets';

/** What a list is a mapping by to the CLI once two files are merged. */
const keyOf: Readonly<Record<Keyed, string>> = {
  ports: 'published',
  volumes: 'target',
  configs: 'source',
  secrets: 'source',
};

/** A list of both files of which each key is there once: the last one counts, whole. In order of the keys. */
export function mergeKeyed(section: Keyed, base: Part, over: Part, shared: Shared): Part {
  const { notes } = shared;
  const [one, other] = [fieldOf(base, section), fieldOf(over, section)];
  const kept = new Map<string, Part>();
  for (const item of [one, other].flatMap((list) => longItems(section, list, shared))) {
    const key = textOf(fieldOf(item, keyOf[section]));
    const before = kept.get(key);
    if (before !== undefined && isLoss(section, key, before, item)) noteLoss(before, item, notes);
    kept.set(key, item);
  }
  const items = [...kept].toSorted(([a], [b]) => bytewise(a, b)).map(([, item]) => item);
  return { kind: 'list', from: (one ?? base).from, items };
}

function textOf(part: Part | undefined): string {
  const value = part && valueOf(part);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** A port that nobody publishes has no key of its own, and TCP and UDP have the same one: nobody meant to replace those. */
function isLoss(section: Keyed, key: string, before: Part, after: Part): boolean {
  if (before.from.located === after.from.located) return true;
  if (section !== 'ports') return false;
  return key === '' || key === '0' || protocolOf(before) !== protocolOf(after);
}

function protocolOf(port: Part): string {
  const written = textOf(fieldOf(port, 'protocol'));
  return written === '' ? 'tcp' : written;
}

function noteLoss(before: Part, after: Part, notes: Notes): void {
  const { located, path } = after.from;
  const { line } = located.place(path);
  const message = `this is dropped for the one in line ${String(line)} of \`${located.file}\`, as by the CLI where files are merged`;
  const hint = 'write this service in one file only';
  notes.within(before.from.located).warn('merge-loss', before.from.path, message, hint);
}

/** Items in their long form; those that cannot be read are noted and left out. */
function longItems(
  section: Keyed,
  list: Part | undefined,
  { notes, budget }: Shared,
): readonly Part[] {
  if (list === undefined) return [];
  const own = notes.within(list.from.located);
  if (section === 'ports') noteDuplicates(valueOf(list), list.from.path, own);
  return itemsOf(list).flatMap((item): readonly Part[] => {
    const { from } = item;
    const value = valueOf(item);
    if (isMapping(value)) return [item];
    if (typeof value !== 'string' && typeof value !== 'number') return [];
    switch (section) {
      case 'ports':
        return longPorts(String(value), from, own, budget);
      case 'volumes': {
        const volume = shortVolume(String(value), from.path, own);
        return volume === undefined ? [] : [partFrom(volume, from)];
      }
      case 'configs':
      case 'secrets':
        return [partFrom({ source: value }, from)];
    }
  });
}

function longPorts(
  value: string,
  from: Origin,
  notes: Notes,
  budget: Shared['budget'],
): readonly Part[] {
  if (budget.ports < 0) return [];
  const ports = shortPorts(value, from.path, notes);
  budget.ports -= ports.length;
  if (budget.ports < 0) {
    notes.error('too-large', from.path, 'two files with so many ports cannot be merged');
    return [];
  }
  return ports.map((port) =>
    partFrom(
      present<LongPort>({
        target: port.TargetPort,
        published: port.PublishedPort,
        protocol: port.Protocol,
        mode: port.PublishMode,
      }),
      from,
    ),
  );
}

/** A list of `name=value` as the mapping that it means. */
export function pairsOf(part: Part, notes: Notes): Part {
  if (part.kind !== 'list') return part;
  noteDuplicates(valueOf(part), part.from.path, notes.within(part.from.located));
  const pairs = part.items.map((item): [string, Part] => {
    const [key, value] = splitPair(String(valueOf(item)));
    noteUnmergeable(key, item.from, notes);
    return [key, partFrom(value ?? '', item.from)];
  });
  return { kind: 'map', from: part.from, fields: new Map(pairs) };
}

/** A list may have it as a name, a mapping of ours would lose it. */
export function noteUnmergeable(name: string, { located, path }: Origin, notes: Notes): void {
  if (name !== '__proto__') return;
  const message = 'a file with the name `__proto__` cannot be merged with another one';
  notes.within(located).error('wrong-value', path, message);
}

/** All networks of both. Where both say how a network is joined, the aliases are the later ones, the options the first. */
export function mergeNetworks(base: Part, over: Part, notes: Notes): Part {
  const fields = new Map(attachments(base, notes));
  for (const [key, other] of attachments(over, notes)) {
    const one = fields.get(key);
    fields.set(key, one === undefined ? other : attachment(one, other, notes));
  }
  return { kind: 'map', from: base.from, fields };
}

function attachments(part: Part, notes: Notes): ReadonlyMap<string, Part> {
  if (part.kind === 'map') return part.fields;
  noteDuplicates(valueOf(part), part.from.path, notes.within(part.from.located));
  return new Map(
    itemsOf(part).map((item) => [String(valueOf(item)), partFrom(null, item.from)] as const),
  );
}

function attachment(base: Part, over: Part, notes: Notes): Part {
  if (over.kind !== 'map') return base;
  if (base.kind !== 'map') return over;
  const options = over.fields.get('driver_opts');
  if (options !== undefined) {
    const message = `these options are dropped for those of \`${base.from.located.file}\`, as by the CLI where files are merged`;
    notes.within(options.from.located).warn('merge-loss', options.from.path, message);
  }
  const [aliases, kept] = [over.fields.get('aliases'), base.fields.get('driver_opts')];
  const fields: [string, Part][] = [];
  if (aliases !== undefined) fields.push(['aliases', aliases]);
  if (kept !== undefined) fields.push(['driver_opts', kept]);
  return { kind: 'map', from: over.from, fields: new Map(fields) };
}

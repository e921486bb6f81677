import type { Id } from '../core/kind.ts';
import type { UnitRecord } from '../core/unit.ts';
import type { History } from '../reconcile/history.ts';
import type { Shelf } from '../reconcile/ports.ts';
import { unpackBlob } from './blob.ts';
import { type Bucket, BUCKETS, emptyBucket, parseBucket, type Units } from './bucket.ts';
import { readPointer } from './head.ts';
import { historyOf, noHistory, parseRoot, type Root } from './root.ts';
import { type Parsed, SCHEMA } from './shapes.ts';

/** The record as one root names it. */
export interface Reading {
  /** Of the root's blob; empty where the head names none. */
  readonly name: string;
  /** Ids of the blobs that it was read from. */
  readonly ids: string;
  /** All that the head names could be read. */
  readonly complete: boolean;
  /** Nobody may act on this record, for this reason. */
  readonly refusal?: string;
  readonly root: Root | undefined;
  readonly buckets: readonly Bucket[];
  readonly units: Units;
  readonly history: History;
  readonly notes: readonly string[];
}

const nothingRead: Reading = {
  name: '',
  ids: '',
  complete: true,
  root: undefined,
  buckets: Array.from({ length: BUCKETS }, () => emptyBucket),
  units: new Map<Id, UnitRecord>(),
  history: noHistory,
  notes: [],
};

/**
 * Pure. What the shelf holds. A blob says by its name what is in it, so what is `known` of it already is taken as it is:
 * the same objects.
 */
export function readShelf(shelf: Shelf | undefined, known: readonly Reading[]): Reading {
  if (shelf === undefined) return nothingRead;
  const pointer = readPointer(shelf.head.labels);
  if (pointer.status === 'nowhere') return nothingRead;
  if (pointer.status === 'damaged') return lostRoot('', { status: 'lost', why: pointer.why });
  const same = known.find(({ name }) => name === pointer.name);
  if (same !== undefined && (same.complete || same.ids === idsOf(shelf, same))) return same;
  return readFrom(shelf, pointer.name, { same, known });
}

/** Pure. Whether all blobs of the record are on the shelf. */
export function isWhole(shelf: Shelf, { name, root }: Reading): boolean {
  return [...blobsOf({ name, root })].every((blob) => shelf.blobs.has(blob));
}

/** Pure. Names of the blobs that a record consists of. */
export function blobsOf(record: {
  readonly name: string;
  readonly root?: Root | undefined;
}): ReadonlySet<string> {
  const { name, root } = record;
  return new Set([name, ...(root?.buckets ?? [])].filter((blob) => blob !== ''));
}

interface Memory {
  readonly same: Reading | undefined;
  readonly known: readonly Reading[];
}

function readFrom(shelf: Shelf, name: string, memory: Memory): Reading {
  const read = rootOf(shelf, name, memory);
  if (read.status !== 'ok') return { ...lostRoot(name, read), ids: idsOf(shelf, { name }) };
  const root = read.value;
  const ids = idsOf(shelf, { name, root });
  const buckets: Bucket[] = [];
  const notes: string[] = [];
  for (const [index, bucket] of root.buckets.entries()) {
    const found = bucketAt(shelf, { index, name: bucket }, memory);
    if (found.status === 'newer') return { ...lostRoot(name, found), ids, root };
    if (found.status === 'lost') notes.push(`${found.why}: its units are taken as they are found`);
    buckets.push(
      found.status === 'ok' ? found.value : { ...emptyBucket, name: bucket, lost: true },
    );
  }
  return {
    name,
    ids,
    complete: notes.length === 0,
    root,
    buckets,
    units: new Map(buckets.flatMap(({ units }) => [...units])),
    history: historyOf(root),
    notes,
  };
}

/** What a blob holds; `lost` and `newer` with the sentence for people. */
type Found<Value> =
  | { readonly status: 'ok'; readonly value: Value }
  | { readonly status: 'lost' | 'newer'; readonly why: string };

function rootOf(shelf: Shelf, name: string, { same }: Memory): Found<Root> {
  if (same?.root !== undefined) return { status: 'ok', value: same.root };
  return contentOf(shelf, name, parseRoot);
}

function bucketAt(
  shelf: Shelf,
  { index, name }: { readonly index: number; readonly name: string },
  { known }: Memory,
): Found<Bucket> {
  if (name === '') return { status: 'ok', value: emptyBucket };
  const kept = known
    .map(({ buckets }) => buckets[index])
    .find((one) => one !== undefined && one.name === name && !one.lost);
  if (kept !== undefined) return { status: 'ok', value: kept };
  const content = contentOf(shelf, name, (json) => parseBucket(json, index));
  if (content.status !== 'ok') return content;
  const bytes = Buffer.byteLength(shelf.blobs.get(name)?.data ?? '', 'base64');
  return { status: 'ok', value: { ...content.value, name, bytes, lost: false } };
}

function contentOf<Value>(
  shelf: Shelf,
  name: string,
  parse: (json: unknown) => Parsed<Value>,
): Found<Value> {
  const blob = shelf.blobs.get(name);
  if (blob === undefined) return { status: 'lost', why: `config ${name} is missing` };
  const unpacked = unpackBlob(name, blob.data);
  if (unpacked.status === 'damaged') return { status: 'lost', why: unpacked.why };
  const parsed = parse(unpacked.json);
  switch (parsed.status) {
    case 'ok':
      return parsed;
    case 'damaged':
      return { status: 'lost', why: `config ${name} is not one that this version made` };
    case 'newer':
      return { status: 'newer', why: newer(parsed.schema) };
  }
}

function newer(schema: number): string {
  const schemas = `schema ${schema}, this one knows ${SCHEMA}`;
  return `a newer version of understudy wrote the record of this Swarm (${schemas}): upgrade this agent`;
}

/** Without a root nothing is known, as if the head had just been made. */
function lostRoot(
  name: string,
  { status, why }: { readonly status: 'lost' | 'newer'; readonly why: string },
): Reading {
  const lost = { ...nothingRead, name, complete: false };
  if (status === 'newer') return { ...lost, refusal: why };
  return { ...lost, notes: [`${why}: all units are taken as they are found`] };
}

function idsOf(shelf: Shelf, record: Parameters<typeof blobsOf>[0]): string {
  return [...blobsOf(record)].map((name) => shelf.blobs.get(name)?.id ?? '').join(' ');
}

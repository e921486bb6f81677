import { z } from 'zod';
import type { CallOutcome } from '../../core/kind.ts';
import { classify, messageIn, type Reply } from './classify.ts';
import { parsed, type Shaped } from './shaped.ts';

/** What a registry says of an image. `open`: the registry is out of order, which says nothing about the image. */
export interface ImageFound {
  readonly found: 'there' | 'missing' | 'denied' | 'open';
  /** For people; empty where it is there. */
  readonly why: string;
}

/** The characters that a reference can have; two dots or slashes in a row stand in none. */
const reference = /^(?!.*(?:\.\.|\/\/))[A-Za-z0-9[][A-Za-z0-9._:/@[\]-]{0,511}$/;

/** Pure. The path to ask for an image, undefined where the text cannot be one. */
export function distributionPath(image: string): string | undefined {
  return reference.test(image) ? `/distribution/${encodeURIComponent(image)}/json` : undefined;
}

/** Pure. The path of an image that the engine itself may have, undefined where the text cannot be one. */
export function imagePath(image: string): string | undefined {
  return reference.test(image) ? `/images/${encodeURIComponent(image)}/json` : undefined;
}

const image = z.looseObject({ Id: z.string().min(1) });

/** Pure. The id of an image that the engine has. */
export function readImageId(json: unknown): Shaped<string> {
  const found = parsed(image, json);
  return found.ok ? { ok: true, value: found.value.Id } : found;
}

const answer = z.looseObject({ Descriptor: z.looseObject({ digest: z.string().min(1) }) });

const NO_HOST = /: no such host$/;

/** Pure. Whether an image is missing because nobody knows its registry, so that none was asked. */
export function noSuchHost(why: string): boolean {
  return NO_HOST.test(why);
}

interface Rule {
  readonly text: RegExp;
  readonly found: ImageFound['found'];
}

/**
 * The engine answers most troubles of a registry with a plain 500 and the text of its Go client, so the text decides
 * (seen on 20.10.24). Nearest to the cause first: a bad login and a dead registry come in the same frame.
 */
const rules: readonly Rule[] = [
  { text: /no basic auth credentials|\bunauthorized\b|\bdenied\b/i, found: 'denied' },
  // A definite answer of the name service. One that does not answer says `server misbehaving` or `i/o timeout`.
  { text: NO_HOST, found: 'missing' },
  { text: /\b(manifest|name|blob) unknown\b|invalid reference format/, found: 'missing' },
];

/** A registry's status that the engine passes on in words only. */
const passedOn = /^received unexpected HTTP status: (\d{3})|^error parsing HTTP (\d{3}) response/;

/** Pure. What one answer to `GET /distribution/{image}/json` says. */
export function imageFound(reply: Reply): CallOutcome<ImageFound> {
  const outcome = classify(reply);
  if (outcome.status === 'ok') {
    const whole = answer.safeParse(outcome.value).success;
    if (whole) return { status: 'ok', value: { found: 'there', why: '' } };
    return { status: 'unknown', why: 'the answer has another shape at Descriptor' };
  }
  if (reply.kind === 'failed') return outcome;
  const why = causeIn(reply.text);
  const found = foundBy(reply.status, why);
  return found === undefined ? outcome : { status: 'ok', value: { found, why } };
}

function foundBy(status: number, why: string): ImageFound['found'] | undefined {
  // This engine has no such call, or wants to be spoken to otherwise: nothing was asked of any registry.
  if (/^page not found$|^client version /.test(why)) return undefined;
  const inWords = passedOn.exec(why);
  if (inWords !== null) return byStatus(Number(inWords[1] ?? inWords[2]));
  return rules.find(({ text }) => text.test(why))?.found ?? byStatus(status);
}

/** Whatever is neither about the image nor about who asks is the registry's own trouble. */
function byStatus(status: number): ImageFound['found'] | undefined {
  if (status === 401 || status === 403) return 'denied';
  if (status === 400 || status === 404) return 'missing';
  return status >= 400 ? 'open' : undefined;
}

/** The last of Go's nested `Get "https://...": ` frames: what is in them is known, and may be long. */
function causeIn(text: string): string {
  const said = messageIn(text, 4_096).replace(/^(?:(?:Get|Head|Post) "[^"]*": )+/, '');
  const [, name, same] = /^([^:]+): (.*)$/.exec(said) ?? [];
  return (name !== undefined && name === same ? name : said).slice(0, 300);
}

import { StageError } from '../run.ts';

/** Who comes in by a key, and what it may do. */
export interface Entity {
  /** `client.admin`, `osd.0`. */
  readonly name: string;
  /** As `makeKey` gives it. */
  readonly key: string;
  /** By service. Only the monitors' first keyring needs it. */
  readonly caps?: Readonly<Record<string, string>>;
}

/** Bytes of AES. */
export const KEY_BYTES = 16;

/**
 * Pure. A key as Ceph writes it: two bytes for its kind, eight for its age, two for its length, and the key, in base64.
 * Monitors take every key that stands in their first keyring, so no command is needed for one.
 */
export function makeKey(random: Uint8Array, bornS: number): string {
  if (random.length !== KEY_BYTES) throw new StageError(`a key has ${KEY_BYTES} bytes`);
  const head = Buffer.alloc(12);
  head.writeUInt16LE(1, 0);
  head.writeUInt32LE(Math.trunc(bornS), 2);
  head.writeUInt32LE(0, 6);
  head.writeUInt16LE(KEY_BYTES, 10);
  return Buffer.concat([head, random]).toString('base64');
}

/** Pure. The text of a keyring. Throws `StageError` where a word could be more than a word. */
export function keyringText(entities: readonly Entity[]): string {
  return entities.map(sectionOf).join('');
}

function sectionOf({ name, key, caps = {} }: Entity): string {
  if (!/^[a-z]+\.[A-Za-z0-9_.-]*$/.test(name)) {
    throw new StageError(`\`${name}\` is no name of a Ceph entity`);
  }
  const services = Object.entries(caps).map(([service, text]) => {
    if (!/^[a-z]+$/.test(service) || !/^[^"\\\p{Cc}]+$/u.test(text)) {
      throw new StageError(`the caps of ${name} for \`${service}\` are more than a word`);
    }
    return `\tcaps ${service} = "${text}"\n`;
  });
  return [`[${name}]\n`, `\tkey = ${key}\n`, ...services].join('');
}

const all = 'allow *';
const caps: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  mon: { mon: all },
  client: { mon: all, mgr: all, osd: all, mds: all },
  mgr: { mon: 'allow profile mgr', osd: all, mds: all },
  mds: { mon: 'allow profile mds', mgr: 'allow profile mds', osd: all, mds: all },
  osd: { mon: 'allow profile osd', mgr: 'allow profile osd', osd: all },
};

/** Pure. What a daemon or the administrator may do, by the first part of its name. */
export function capsOf(name: string): Readonly<Record<string, string>> {
  const found = caps[name.slice(0, name.indexOf('.'))];
  if (found === undefined) throw new StageError(`\`${name}\` is no name of a Ceph entity`);
  return found;
}

import { z } from 'zod';

/** What the bridge, bridge.py, is told first. */
export interface Beginning {
  /** Absolute paths. */
  readonly conf: string;
  readonly keyring: string;
  /** `client.understudy` */
  readonly client: string;
  /** How long monitors may take to let it in. Seconds. */
  readonly connectS: number;
}

/** A command of Ceph: `prefix` is its name, the rest are its arguments as Ceph's own programs send them. */
export type CommandWords = Readonly<Record<string, unknown>> & { readonly prefix: string };

/** Which daemon carries it out: a monitor, or the manager daemon. */
export type Daemon = 'mon' | 'mgr';

export interface ToBridge {
  readonly id: number;
  readonly to: Daemon;
  readonly command: CommandWords;
  /** Base64. */
  readonly input?: string;
}

const errno = z.int().nonnegative();
const begun = z.strictObject({ fsid: z.string() });
const failed = z.strictObject({
  failed: z.enum(['module', 'conf', 'keyring', 'connect']),
  code: errno,
  text: z.string(),
});
const answered = z.strictObject({
  id: z.int(),
  /** 0: it was carried out. */
  code: errno,
  out: z.string(),
  error: z.string(),
});

const FromBridge = z.union([answered, begun, failed]);
export type FromBridge = z.output<typeof FromBridge>;
/** Why it did not begin. */
export type NotBegun = z.output<typeof failed>;

/** Pure. One line of the bridge; undefined where it is none. */
export function readLine(line: string): FromBridge | undefined {
  try {
    return FromBridge.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Pure. */
export function writeLine(message: Beginning | ToBridge): string {
  return `${JSON.stringify(message)}\n`;
}

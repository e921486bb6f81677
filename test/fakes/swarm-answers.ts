/** An answer of the fake. `drop` ends the connection instead, as a dying engine does. */
export type FakeAnswer = { readonly status: number; readonly body: unknown } | 'drop';

/** One request as it came. */
export interface FakeRequest {
  readonly method: string;
  /** Without the version in front and without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly text: string;
  /** The node whose engine is asked; absent: the first. */
  readonly node?: string;
}

/** What the fake keeps of a config or secret. */
export interface FakeFile {
  readonly id: string;
  version: number;
  readonly createdAt: string;
  updatedAt: string;
  readonly name: string;
  labels: Record<string, string>;
  readonly data: string;
  readonly templating?: { Name: string };
}

/** What the fake keeps of a network. */
export interface FakeNetwork {
  readonly id: string;
  readonly name: string;
  readonly scope: string;
  readonly createdAt: string;
  readonly body: Record<string, unknown>;
  readonly labels: Record<string, string>;
  readonly options: Record<string, string>;
  readonly ipam: object;
}

/** The raft: what every write takes a number from. */
export interface Raft {
  id(): string;
  /** One commit: the new index. */
  commit(): number;
  now(): string;
}

/** An answer that says no. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function ok(body: unknown): FakeAnswer {
  return { status: 200, body };
}

export function refused(status: number, message: string): FakeAnswer {
  return { status, body: { message } };
}

/** As swarmkit refuses what it is asked. */
export function invalid(message: string): Refusal {
  return new Refusal(400, `rpc error: code = InvalidArgument desc = ${message}`);
}

/** The compare-and-swap of every update. */
export function checkVersion(version: number, stored: { readonly version: number }): void {
  if (version === stored.version) return;
  throw new Refusal(500, 'rpc error: code = Unknown desc = update out of sequence');
}

/** The version that an update was asked for. */
export function versionOf(request: FakeRequest, kind: string): number {
  const text = request.query.get('version') ?? '';
  if (/^\d+$/.test(text)) return Number(text);
  if (kind !== 'service') throw new Refusal(400, `invalid ${kind} version`);
  throw new Refusal(
    400,
    `invalid ${kind} version '${text}': strconv.ParseUint: parsing "${text}": invalid syntax`,
  );
}

export function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'invalid JSON');
  }
}

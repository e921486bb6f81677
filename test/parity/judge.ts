import type { Diagnostic } from '../../agent/core/diagnostic.ts';
import type { RenderedCompose } from '../../agent/providers/stack/compose/render.ts';
import { differences } from './compare.ts';
import type { Bodies } from './folder.ts';
import { placeless, requestsOf } from './ours.ts';

/** What the Docker CLI did with a stack. */
export interface Docker {
  readonly accepted: boolean;
  /** Its second channel: warnings, and why it refused. */
  readonly messages: string;
  /** Absent where it refused. */
  readonly requests?: Bodies;
}

/** How we compare with it. */
export interface Verdict {
  readonly kind: 'equal' | 'different' | 'wrongly accepted' | 'wrongly refused';
  /** One line a difference; none where equal. */
  readonly lines: readonly string[];
}

/** Keys that the CLI says it ignores although it uses them. */
const SAYS_IGNORED = ['restart'];

/** Pure. Compares what we made of a stack with what the CLI did. */
export function judge(ours: RenderedCompose, docker: Docker): Verdict {
  const { result, diagnostics } = ours;
  if (!docker.accepted) {
    if (result === undefined) return { kind: 'equal', lines: [] };
    return { kind: 'wrongly accepted', lines: [`docker: ${lastLine(docker.messages)}`] };
  }
  if (result === undefined) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    return { kind: 'wrongly refused', lines: errors.map(told) };
  }
  const lines = [
    ...differences(placeless(plain(requestsOf(result))), plain(docker.requests)),
    ...warnings(diagnostics, docker.messages),
  ];
  return { kind: lines.length === 0 ? 'equal' : 'different', lines };
}

/** Pure. Keys that the CLI says it ignores and that we do not warn about. */
export function warnings(diagnostics: readonly Diagnostic[], messages: string): readonly string[] {
  const theirs = ignoredByDocker(messages).filter((key) => !SAYS_IGNORED.includes(key));
  const ours = new Set(
    diagnostics.filter(({ code }) => code === 'ignored-key').map(({ place }) => keyOf(place?.path)),
  );
  return theirs
    .filter((key) => !ours.has(key))
    .map((key) => `warning: docker says that it ignores \`${key}\`, we do not`);
}

/** Pure. The keys that the CLI lists as ignored, each once. */
export function ignoredByDocker(messages: string): readonly string[] {
  const unsupported =
    /^Ignoring unsupported options: (.*)$/m.exec(messages)?.[1]?.split(', ') ?? [];
  const deprecated =
    /^Ignoring deprecated options:\n((?:\n?\w+: .*\n)*)/m.exec(messages)?.[1] ?? '';
  return [...unsupported, ...[...deprecated.matchAll(/^(\w+): /gm)].map(([, key = '']) => key)];
}

function keyOf(path = ''): string {
  return /([\w-]+)$/.exec(path)?.[1] ?? '';
}

function told({ code, message, place }: Diagnostic): string {
  return `${place?.file ?? ''}:${String(place?.line ?? 0)}: ${code}: ${message} (${place?.path ?? ''})`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** As JSON carries it: without what is undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}

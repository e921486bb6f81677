import type { Path } from '../../../core/parse.ts';
import { fits } from './casts.ts';
import type { Shared } from './merge-lists.ts';
import { mergeKeyed, mergeNetworks, pairsOf } from './merge-lists.ts';
import { mergeLogging } from './merge-options.ts';
import type { Notes } from './notes.ts';
import type { Part } from './parts.ts';
import { fieldOf, itemsOf, partFrom, valueOf } from './parts.ts';
import { parseBytes, parseGoDuration } from './units.ts';
import { splitWords } from './words.ts';

/** Most ports of the services that both files have: a range of thousands is one short line. */
const PORTS_MAX = 16_384;

/**
 * How two files become one, as `docker stack deploy -c base -c over` does it: seen with CLI 28.2.2. What is lost by
 * these rules without anybody having said so is noted as a warning.
 */
export function mergeCompose(base: Part, over: Part, notes: Notes): Part {
  const budget = { ports: PORTS_MAX };
  return joined(base, over, (key, one, other) => {
    if (key === 'services') {
      return joined(one, other, (_, first, second) =>
        mergeService(first, second, { notes, budget }),
      );
    }
    // The first file's `version`; of the other sections each entry as a whole, also an empty one.
    return key === 'version' ? one : joined(one, other, (_key, _first, second) => second);
  });
}

/** All fields of both; what both have is decided by `both`. */
function joined(base: Part, over: Part, both: (key: string, base: Part, over: Part) => Part): Part {
  if (base.kind !== 'map' || over.kind !== 'map') return isNothing(over) ? base : over;
  const fields = new Map(base.fields);
  for (const [key, other] of over.fields) {
    const one = fields.get(key);
    fields.set(key, one === undefined ? other : both(key, one, other));
  }
  return { kind: 'map', from: base.from, fields };
}

const keyedLists = ['ports', 'volumes', 'configs', 'secrets'] as const;

/** A service that both files have. */
function mergeService(base: Part, over: Part, shared: Shared): Part {
  const merged = mergeFields(base, over, { path: [], notes: shared.notes });
  if (merged.kind !== 'map') return merged;
  const fields = new Map(merged.fields);
  for (const key of keyedLists) {
    // Also where the other file says nothing: to the CLI the list of the first is a mapping from now on.
    const items = itemsOf(fieldOf(base, key));
    if (items.length > 0) fields.set(key, mergeKeyed(key, base, over, shared));
  }
  return { ...merged, fields };
}

interface Where {
  /** Within the service. */
  readonly path: Path;
  readonly notes: Notes;
}

function mergeFields(base: Part, over: Part, { path, notes }: Where): Part {
  return joined(base, over, (key, one, other) =>
    mergeField(one, other, { path: [...path, key], notes }),
  );
}

const perKey = ['labels', 'deploy.labels', 'sysctls'].map(parts);
const commands = ['command', 'entrypoint'].map(parts);
const appended = [
  'dns',
  'dns_search',
  'cap_add',
  'cap_drop',
  'extra_hosts',
  'healthcheck.test',
  'deploy.placement.constraints',
  'deploy.placement.preferences',
  'deploy.resources.reservations.generic_resources',
].map(parts);
/** Where zero says nothing. */
const zeroes = [
  'stop_grace_period',
  'healthcheck.interval',
  'healthcheck.timeout',
  'healthcheck.start_period',
  'healthcheck.start_interval',
  'deploy.update_config.delay',
  'deploy.update_config.monitor',
  'deploy.update_config.max_failure_ratio',
  'deploy.rollback_config.delay',
  'deploy.rollback_config.monitor',
  'deploy.rollback_config.max_failure_ratio',
  'deploy.restart_policy.delay',
  'deploy.restart_policy.window',
  'deploy.placement.max_replicas_per_node',
  'deploy.resources.limits.memory',
  'deploy.resources.limits.pids',
  'deploy.resources.reservations.memory',
].map(parts);

function parts(pattern: string): readonly string[] {
  return pattern.split('.');
}

function isAt(path: Path, patterns: readonly (readonly string[])[]): boolean {
  return patterns.some((pattern) => fits(path, pattern));
}

function mergeField(base: Part, over: Part, where: Where): Part {
  const { path, notes } = where;
  if (isNothing(over)) return base;
  if (isNothing(base)) return over;
  if (isAt(path, perKey)) {
    return joined(pairsOf(base, notes), pairsOf(over, notes), (_key, _one, other) => other);
  }
  if (isAt(path, commands)) return isEmptyCommand(over) ? base : over;
  if (isAt(path, appended)) return append(base, over, path, notes);
  if (fits(path, ['environment'])) return mergeEnvironment(base, over);
  if (fits(path, ['networks'])) return mergeNetworks(base, over, notes);
  if (fits(path, ['logging'])) return mergeLogging(base, over, notes);
  if (base.kind === 'map' && over.kind === 'map') return mergeFields(base, over, where);
  return base.kind === 'scalar' && over.kind === 'scalar'
    ? mergeScalar(base.value, over.value, { base, over, path, notes })
    : over;
}

function isNothing(part: Part): boolean {
  return part.kind === 'scalar' && (part.value === null || part.value === undefined);
}

function isEmptyCommand(part: Part): boolean {
  if (part.kind === 'list') return part.items.length === 0;
  const split = splitWords(String(valueOf(part)));
  return 'words' in split && split.words.length === 0;
}

function append(base: Part, over: Part, path: Path, notes: Notes): Part {
  const isTest = fits(path, ['healthcheck', 'test']);
  const itemsAt = isTest ? testWords : textsOf;
  const [one, other] = [base, over].map(itemsAt);
  if (one === undefined || one.length === 0) return over;
  if (other === undefined || other.length === 0) return base;
  if (isTest) {
    const message = `the words of this \`test\` come after those of \`${base.from.located.file}\`, as in the CLI`;
    const hint = 'write `test` in one of the files only';
    notes.within(over.from.located).warn('merge-loss', over.from.path, message, hint);
  }
  return { kind: 'list', from: over.from, items: [...one, ...other] };
}

/** One text is a list of one. */
function textsOf(part: Part): readonly Part[] {
  return part.kind === 'scalar' ? [part] : itemsOf(part);
}

/** A text is a command for the shell. */
function testWords(part: Part): readonly Part[] {
  return part.kind === 'scalar' ? [partFrom('CMD-SHELL', part.from), part] : itemsOf(part);
}

/** Both are resolved already. What is empty does not win over what is there. */
function mergeEnvironment(base: Part, over: Part): Part {
  return joined(base, over, (_, one, other) => {
    const isEmpty = isNothing(other) || valueOf(other) === '';
    return isEmpty && !isNothing(one) ? one : other;
  });
}

interface Scalars extends Where {
  readonly base: Part;
  readonly over: Part;
}

function mergeScalar(before: unknown, after: unknown, { base, over, path, notes }: Scalars): Part {
  if (says(after, path)) return over;
  if (after !== before) {
    const message = `this does not win over the value of \`${base.from.located.file}\`, as in the CLI`;
    const hint =
      'an empty text, `false` and most zeros of a later file say nothing: change it there';
    notes.within(over.from.located).warn('merge-loss', over.from.path, message, hint);
  }
  return base;
}

/** Whether a value of a later file counts. */
function says(value: unknown, path: Path): boolean {
  if (typeof value === 'boolean') return value;
  if (value === '') return false;
  if (!isAt(path, zeroes)) return true;
  return typeof value === 'string'
    ? parseGoDuration(value) !== 0 && parseBytes(value) !== 0
    : value !== 0;
}

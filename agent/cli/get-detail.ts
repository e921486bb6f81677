import { minuteOf } from '../core/freeze.ts';
import type { LiveService } from '../core/live.ts';
import { unknownUnit, type UnitRecord } from '../core/unit.ts';
import type { UnitFacts } from './get-rows.ts';
import { nameOf } from './ask-judge.ts';
import type { Tone } from './printer.ts';
import { shortRevision } from './table.ts';

type Line = readonly [string, Tone];

/** Of a digest, for people. */
const DIGEST_SHOWN = 10;

/** Pure. All that is known of one unit, but for what it consists of: a spec holds values that are nobody's to read here. */
export function detailLines({
  id,
  unit = unknownUnit,
  standing,
  live,
}: UnitFacts): readonly Line[] {
  const { phase, attempt, suspended, stuck, removing = [], removal } = unit;
  const held = standing?.why ?? '';
  return [
    [id, 'strong'],
    ...part('phase', [phase === 'none' ? 'nothing is under way' : phase]),
    ...part('attempt', attempt && attempt.digest !== '' ? [commitOf(attempt)] : []),
    ...part('held', held === '' ? [] : [held]),
    ...part('suspended', suspended ? [`by ${suspended.by}, ${minuteOf(suspended.at)}`] : []),
    ...part(
      'stuck',
      stuck ? [`${minuteOf(stuck.at)}  ${stuck.code}: ${stuck.why}`, ...evidence(stuck)] : [],
      'bad',
    ),
    ...part('releases', releasesOf(unit)),
    ...part('failed', failedOf(unit), 'bad'),
    ...part('services', (live?.services ?? []).flatMap(serviceLines)),
    ...part(
      'removing',
      removing.map(({ target }) => target),
    ),
    ...part('removal', removal === 'hold' ? ['waits for a person, by its stack.yaml'] : []),
  ];
}

const NAME_WIDTH = 11;

function part(name: string, lines: readonly string[], tone: Tone = 'plain'): readonly Line[] {
  return lines.map((line, at) => [`  ${(at === 0 ? name : '').padEnd(NAME_WIDTH)}${line}`, tone]);
}

function commitOf({ revision, digest }: { revision: string; digest: string }): string {
  const name = revision === '' ? 'found' : shortRevision(revision);
  return `${name.padEnd(7)}  digest ${digest.slice(0, DIGEST_SHOWN)}`;
}

/** With the place that `rollback --to` takes. */
function releasesOf({ releases }: UnitRecord): readonly string[] {
  return releases.map((one, at) => {
    const found = one.unproven === true ? '  as it was found, not healthy yet' : '';
    return `${String(at + 1)}  ${nameOf(one)}  digest ${one.digest.slice(0, DIGEST_SHOWN)}${found}`;
  });
}

function failedOf({ quarantine }: UnitRecord): readonly string[] {
  return quarantine.flatMap((one) => [
    `${shortRevision(one.revision)}  ${minuteOf(one.at)}  ${one.code}: ${one.why}`,
    ...evidence(one),
  ]);
}

function evidence({ evidence: text }: { readonly evidence: string }): readonly string[] {
  return text === '' ? [] : [`  ${text.replaceAll('\n', ' ')}`];
}

function serviceLines({ name, running, wanted, waits, errors }: LiveService): readonly string[] {
  const lines = errors.map(({ at, state, error, means, node }) => {
    const told = means === undefined ? error : `${error} (${means})`;
    return `  ${minuteOf(at)}  ${state}${node === undefined ? '' : ` on ${node}`}: ${told}`;
  });
  const now = waits === undefined ? [] : [`  ${waits}`];
  return [`${name} ${String(running)}/${String(wanted)}`, ...now, ...lines];
}

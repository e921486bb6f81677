import type { Resources as Written } from '../../../../schemas/compose-deploy.ts';
import type { Path } from '../../../core/parse.ts';
import type { Resources } from '../engine-api.ts';
import type { Notes } from './notes.ts';
import { nonEmpty, nonZero, present } from './present.ts';
import { parseBytes, parseCpus } from './units.ts';

const MEMORY_BYTES_MIN = 4 * 1024 * 1024;
const NANO_CPUS_MIN = 1_000_000;

/** `deploy.resources`: always there, at least empty. */
export function convertResources(
  written: Written | undefined,
  path: Path,
  notes: Notes,
): Resources {
  const limits = written?.limits;
  const reservations = written?.reservations;
  return present({
    Limits: limits && {
      ...amounts(limits, [...path, 'limits'], notes),
      ...present({ Pids: nonZero(limits.pids) }),
    },
    Reservations: reservations && {
      ...amounts(reservations, [...path, 'reservations'], notes),
      ...present({
        GenericResources: genericResources(
          reservations,
          [...path, 'reservations', 'generic_resources'],
          notes,
        ),
      }),
    },
  });
}

function amounts(
  written: { readonly cpus?: string | undefined; readonly memory?: string | undefined },
  path: Path,
  notes: Notes,
): { NanoCPUs?: number; MemoryBytes?: number } {
  return present({
    NanoCPUs: nonZero(cpusOf(written.cpus, [...path, 'cpus'], notes)),
    MemoryBytes: nonZero(bytesOf(written.memory, [...path, 'memory'], notes)),
  });
}

function cpusOf(text: string | undefined, path: Path, notes: Notes): number | undefined {
  if (text === undefined) return undefined;
  const nanos = parseCpus(text);
  if (typeof nanos === 'string') {
    const message =
      nanos === 'too precise' ? 'CPUs have at most nine decimals' : 'this is not a number of CPUs';
    notes.error('wrong-value', path, message, 'write a number in quotes, such as `"0.5"`');
    return undefined;
  }
  if (nanos !== 0 && nanos < NANO_CPUS_MIN)
    notes.error('wrong-value', path, 'the engine takes at least `0.001` CPUs');
  return nanos;
}

function bytesOf(text: string | undefined, path: Path, notes: Notes): number | undefined {
  if (text === undefined) return undefined;
  const bytes = parseBytes(text);
  if (bytes === undefined) {
    notes.error(
      'wrong-value',
      path,
      'this is not an amount of memory',
      'write a number and a unit, such as `512M` or `1.5G`',
    );
  } else if (bytes !== 0 && bytes < MEMORY_BYTES_MIN) {
    notes.error('wrong-value', path, 'the engine takes at least `4M` of memory');
  }
  return bytes;
}

type Generic = NonNullable<NonNullable<Resources['Reservations']>['GenericResources']>;

function genericResources(
  reservations: NonNullable<Written['reservations']>,
  path: Path,
  notes: Notes,
): Generic | undefined {
  const written = reservations.generic_resources ?? [];
  if (written.length === 0) return undefined;
  return written.map(({ discrete_resource_spec: spec }, index) => {
    const kind = nonEmpty(spec?.kind);
    const value = spec?.value;
    if (kind === undefined || value === undefined) {
      // An empty one ends the engine's request without an answer.
      notes.error(
        'missing-key',
        [...path, index],
        'a generic resource needs `discrete_resource_spec` with `kind` and `value`',
      );
    } else if (value < 0)
      notes.unworkable('wrong-value', [...path, index], 'a generic resource cannot be negative');
    return { DiscreteResourceSpec: { Kind: kind ?? '', Value: Math.trunc(value ?? 0) } };
  });
}

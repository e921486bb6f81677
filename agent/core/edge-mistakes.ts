import { type Diagnostic, type Place, placeOfFile } from './diagnostic.ts';
import { cyclesOf, edgesOf, makersOf } from './edges.ts';
import type { Dependency, FolderOutput } from './folder-kind.ts';
import type { Id } from './kind.ts';
import { suggest } from './suggest.ts';

/** A folder of the repository as a unit, whether or not it could be rendered. */
export interface Folder<Spec> {
  readonly id: Id;
  /** `stacks/blog` */
  readonly folder: string;
  readonly output: FolderOutput<Spec>;
}

/** Units of the repository that one environment does not have. */
export interface LeftOut {
  readonly environment: string;
  readonly ids: ReadonlySet<Id>;
}

/** Pure. Dependencies on what does not exist, and those that would make units wait for each other for ever. */
export function edgeMistakes<Spec>(
  folders: readonly Folder<Spec>[],
  leftOut: LeftOut,
): readonly Diagnostic[] {
  const ids = new Set<string>(folders.map(({ id }) => id));
  const unknown = folders.flatMap(({ output }) =>
    output.depends
      .filter(({ on }) => !ids.has(on))
      .map((one) =>
        leftOut.ids.has(one.on) ? notHere(one, leftOut.environment) : undefinedUnit(one, ids),
      ),
  );
  return [...unknown, ...cycles(folders)];
}

function notHere({ on, place }: Dependency, environment: string): Diagnostic {
  return {
    severity: 'error',
    code: 'undefined-unit',
    message: `the environment \`${environment}\` does not have \`${on}\``,
    place,
    hint: `\`stacks\` of environments/${environment}.yaml leaves it out: include it, or leave this stack out as well`,
  };
}

/** Pure. A unit is named that does not exist. */
export function undefinedUnit({ on, place }: Dependency, ids: ReadonlySet<string>): Diagnostic {
  const meant = nearest(on, ids);
  return {
    severity: 'error',
    code: 'undefined-unit',
    message: `the repository has no \`${on}\``,
    place,
    ...(meant !== undefined && { hint: `did you mean \`${meant}\`?` }),
  };
}

/** The kind is the same for most: only the names are compared, or else the name is right and the kind is not. */
function nearest(on: Id, ids: ReadonlySet<string>): string | undefined {
  const [kind, name] = split(on);
  const others = [...ids].map((id) => ({ id, parts: split(id) }));
  const alike = others.filter(({ parts }) => parts[0] === kind);
  const meant = suggest(
    name,
    alike.map(({ parts }) => parts[1]),
  );
  const wanted = meant === undefined ? undefined : `${kind}/${meant}`;
  return wanted ?? others.find(({ parts }) => parts[1] === name)?.id;
}

function split(id: string): readonly [string, string] {
  const at = id.indexOf('/');
  return [id.slice(0, at), id.slice(at + 1)];
}

/** So many units of a cycle are named. */
const NAMED_MAX = 20;

function cycles<Spec>(folders: readonly Folder<Spec>[]): readonly Diagnostic[] {
  const byId = new Map(folders.map((one) => [one.id, one]));
  const bounds = folders.map(({ id, output }) => ({
    id,
    dependsOn: output.depends.map(({ on }) => on),
    needs: output.rendered?.needs ?? [],
    gives: output.rendered?.gives ?? [],
  }));
  const makers = makersOf(bounds);
  return cyclesOf(edgesOf(bounds)).map((units) => {
    const steps = units.map((from, at) => {
      const to = units[(at + 1) % units.length] ?? from;
      const folder = byId.get(from);
      const written = folder?.output.depends.find(({ on }) => on === to)?.place;
      const need = folder?.output.rendered?.needs.find(
        (one) => makers.get(one.toLowerCase()) === to,
      );
      return { from, to, written, need };
    });
    const implied = steps.flatMap(({ from, to, written, need }) =>
      written === undefined && need !== undefined
        ? [`\`${from}\` needs ${need.replace(':', ' ')}, which \`${to}\` makes`]
        : [],
    );
    const place =
      steps.find(({ written }) => written !== undefined)?.written ??
      wholeOf(byId.get(units[0] ?? 'stack/'));
    const hint = implied.slice(0, 3).join('; ');
    return {
      severity: 'error',
      code: 'dependency-cycle',
      message: inWords(units),
      ...(place && { place }),
      ...(hint !== '' && { hint }),
    };
  });
}

function inWords(units: readonly Id[]): string {
  const [first = ''] = units;
  if (units.length === 1) return `\`${first}\` depends on itself`;
  const named = units.length > NAMED_MAX ? [...units.slice(0, NAMED_MAX), '...'] : units;
  return `these wait for each other: \`${[...named, first].join(' -> ')}\``;
}

function wholeOf<Spec>(folder: Folder<Spec> | undefined): Place | undefined {
  return folder?.output.rendered?.place ?? (folder && placeOfFile(folder.folder));
}

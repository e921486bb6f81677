import type { Path } from '../../../core/parse.ts';
import type { Notes } from './notes.ts';
import { isMapping } from './variables.ts';

const ofServices = [
  ['environment'],
  ['labels'],
  ['sysctls'],
  ['extra_hosts'],
  ['deploy', 'labels'],
  ['logging', 'options'],
  ['build', 'args'],
  ['build', 'labels'],
  ['build', 'extra_hosts'],
];
const sections = ['networks', 'volumes', 'configs', 'secrets'];

/**
 * Notes empty names of a mapping: Docker refuses them there, and takes `=value` in a list. The schema cannot say so: a
 * list becomes a mapping where two files are merged.
 */
export function noteNameless(written: unknown, notes: Notes): void {
  eachOf(written, ['services'], (path) => {
    for (const inner of ofServices) note(written, [...path, ...inner], notes);
  });
  for (const section of sections) {
    eachOf(written, [section], (path) => note(written, [...path, 'labels'], notes));
  }
}

function eachOf(value: unknown, path: Path, visit: (path: Path) => void): void {
  const entries = at(value, path);
  for (const key of Object.keys(isMapping(entries) ? entries : {})) visit([...path, key]);
}

function note(value: unknown, path: Path, notes: Notes): void {
  const mapping = at(value, path);
  if (!isMapping(mapping) || !Object.hasOwn(mapping, '')) return;
  notes.errorAtKey('wrong-value', [...path, ''], 'a name cannot be empty');
}

function at(value: unknown, path: Path): unknown {
  let here = value;
  for (const part of path) {
    if (!isMapping(here) || !Object.hasOwn(here, part)) return undefined;
    here = here[part];
  }
  return here;
}

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StageError } from '../run.ts';

/** How programs of an unpacked root are started: with its own loader and C library, so that the machine's do not matter. */
export interface Loading {
  /** Absolute path of the loader. */
  readonly loader: string;
  /** Before the program; its own words follow it. */
  readonly command: readonly string[];
}

/** Pure. The libraries among packages, the C library with its loader among them, without what only scripts use. */
export function selectLibraries(closure: readonly string[]): readonly string[] {
  const left = /^(libperl.*|libdb5.*|libgdbm.*|libdbi.*|libpam-.*|.*-perl|libc-.*)$/;
  return closure
    .filter((name) => name === 'zlib1g' || (name.startsWith('lib') && !left.test(name)))
    .toSorted();
}

/** Finds loader and libraries. Throws `StageError`. */
export async function loadingIn(root: string, title: string): Promise<Loading> {
  const libraries: string[] = [];
  let loader: string | undefined;
  for (const base of ['usr/lib', 'lib']) {
    const names = await readdir(join(root, base)).catch(() => []);
    for (const name of names.filter((one) => one.endsWith('-linux-gnu'))) {
      const folder = join(root, base, name);
      libraries.push(folder);
      const found = (await readdir(folder)).find((one) => /^ld-linux-.*\.so\.\d$/.test(one));
      loader ??= found === undefined ? undefined : join(folder, found);
    }
  }
  if (loader === undefined) throw new StageError(`the packages of ${title} hold no loader`);
  return { loader, command: [loader, '--library-path', libraries.join(':')] };
}

/** Leaves what no program opens. */
export async function slimShare(root: string): Promise<void> {
  for (const folder of ['doc', 'man', 'lintian', 'locale', 'bug']) {
    await rm(join(root, 'usr/share', folder), { recursive: true, force: true });
  }
}

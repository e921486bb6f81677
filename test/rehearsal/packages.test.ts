import { expect, it } from 'vitest';
import { selectPackages } from '../../agent/rehearsal/packages.ts';

it.each([
  ['what was asked for', 'docker.io', true],
  ['a library', 'libdevmapper1.02.1', true],
  ['a library of a later release', 'libssl3t64', true],
  ['the C library, which must fit the machine', 'libc6', false],
  ['a shell program', 'passwd', false],
  ['perl', 'perl-base', false],
  ['perl as a library', 'libperl5.36', false],
  ['a module of perl', 'libfile-find-rule-perl', false],
  ['modules of PAM, which are not used', 'libpam-modules-bin', false],
  ['PAM itself, which sshd is linked with', 'libpam0g', true],
])('unpacks or leaves %s', (_, name, kept) => {
  expect(selectPackages([name], ['docker.io']).includes(name)).toBe(kept);
});

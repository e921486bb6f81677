import { expect, it } from 'vitest';
import { librariesIn } from '../../../agent/rehearsal/mysql/client.ts';

it('finds the libraries that a program needs, wherever the project lies', () => {
  const at = "/srv/it's a copy/.rehearsal/packages/bookworm-client";
  const listed = [
    '\tlinux-vdso.so.1 (0x00007fff5b1f2000)',
    `\tlibedit.so.2 => ${at}/usr/lib/x86_64-linux-gnu/libedit.so.2 (0x00007f2c5a000000)`,
    `\tlibc.so.6 => ${at}/lib/x86_64-linux-gnu/libc.so.6 (0x00007f2c59a00000)`,
    `\t/lib64/ld-linux-x86-64.so.2 => ${at}/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 (0x00007f2c5a2)`,
    '',
  ];
  expect(librariesIn(listed.join('\n'))).toEqual([
    `${at}/usr/lib/x86_64-linux-gnu/libedit.so.2`,
    `${at}/lib/x86_64-linux-gnu/libc.so.6`,
  ]);
});

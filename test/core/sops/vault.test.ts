import { describe, expect, it } from 'vitest';

import { Vault } from '../../../agent/core/sops/vault.ts';
import { dataKey, sealedText } from './sops.ts';

const FILES_MAX = 5_000;
const path = 'stacks/blog/a.env';
const bytes = Buffer.from(sealedText('a.env', 'A=b\n'));

describe('new encrypted files of one revision', () => {
  it('are 5,000 at most, and what was opened before does not count', () => {
    const vault = new Vault();
    vault.use(['age1nobody'], false);
    const statusOf = (at: number) => vault.open({ path, blob: `b${String(at)}`, bytes }).status;
    for (let at = 0; at < FILES_MAX; at += 1) expect(statusOf(at)).toBe('pending');
    expect(vault.open({ path, blob: 'one more', bytes })).toMatchObject({
      status: 'wrong',
      diagnostics: [{ severity: 'error', code: 'too-large', place: { file: path, line: 1 } }],
    });
    expect(vault.openDocument({ path: 'a.yaml', blob: 'another', bytes })).toMatchObject({
      status: 'wrong',
      diagnostics: [{ code: 'too-large' }],
    });
    expect(statusOf(7)).toBe('pending');
    expect(vault.waiting.size).toBe(FILES_MAX);
    for (const blob of vault.waiting.keys()) vault.settle(blob, dataKey);
    expect(statusOf(7)).toBe('opened');
    expect(statusOf(FILES_MAX)).toBe('pending');
  });
});

import { describe, expect, it } from 'vitest';

import { documentFields } from '../../../agent/providers/ceph/document-lines.ts';
import type { CephSpec } from '../../../agent/providers/ceph/spec.ts';
import { ceph, render, specsIn } from './rendering.ts';

function specOf(text: string): CephSpec {
  const done = render(ceph(text));
  const [spec] = specsIn(done);
  if (spec === undefined) throw new Error(JSON.stringify(done.diagnostics));
  return spec;
}

/** Each line with what it was and what it is. */
function said(before: string | undefined, after: string): readonly string[] {
  const fields = documentFields(before === undefined ? before : specOf(before), specOf(after));
  return fields.map(({ path, observed = '', desired = '' }) => `${path}: ${observed} > ${desired}`);
}

const pool = 'kind: CephPool\nname: a\napplication: cephfs\n';

describe('what a document says', () => {
  it.each<[string, readonly string[]]>([
    [`${pool}replicated: {}\n`, ['application:  > cephfs']],
    [
      `${pool}replicated: {size: 5}\nbulk: true\nquotas: {maxSize: 1536Gi}\nparameters: {compression_min_blob_size: 8Ki, recovery_priority: 0}\ntargetSizeBytes: 1000\n`,
      [
        'application:  > cephfs',
        'bulk:  > true',
        'parameters.compression_min_blob_size:  > 8Ki',
        'parameters.recovery_priority:  > 0',
        'quotas.maxSize:  > 1536Gi',
        'replicated.size:  > 5',
        'targetSizeBytes:  > 1000',
      ],
    ],
    ['kind: CephCrushRule\nname: a\n', []],
    [
      'kind: CephFilesystem\nname: a\nmetadataPool: m\ndataPools: [d, e]\n',
      ['dataPools:  > d, e', 'metadataPool:  > m'],
    ],
    [
      "kind: CephSubvolume\nname: a\nfilesystem: f\nmode: '0070'\nsize: 1Ti\n",
      ['filesystem:  > f', 'mode:  > 0070', 'size:  > 1Ti'],
    ],
    [
      'kind: CephClient\nname: a\nsecret: s\ncaps: {mon: allow r}\nformat: keyring\n',
      ['caps.mon:  > allow r', 'format:  > keyring', 'secret:  > s'],
    ],
  ])('that is new is told where it is not as usual: %j', (text, lines) => {
    expect(said(undefined, text)).toEqual(lines);
  });

  it.each<[string, string, readonly string[]]>([
    ['replicated: {}\n', 'replicated: {size: 3}\n', ['replicated.size:  > 3']],
    ['replicated: {}\n', 'replicated: {size: 4}\n', ['replicated.size:  > 4']],
    ['replicated: {}\nbulk: true\n', 'replicated: {}\n', ['bulk: true > ']],
    ['replicated: {}\nsuspend: true\n', 'replicated: {}\n', []],
    [
      'replicated: {}\nquotas: {maxSize: 2048}\n',
      'replicated: {}\nquotas: {maxSize: 0}\n',
      ['quotas.maxSize: 2Ki > 0'],
    ],
  ])('that changes is told where it differs: %j, %j', (before, after, lines) => {
    expect(said(`${pool}${before}`, `${pool}${after}`)).toEqual(lines);
  });

  it('of a client names its subvolumes with what it may do there', () => {
    const subvolume = 'kind: CephSubvolume\nname: a\nfilesystem: f\n';
    const client =
      '---\nkind: CephClient\nname: c\nsecret: s\nsubvolumes: [{id: ceph-subvolume/f/_nogroup/a, access: ro}]\n';
    const spec = specsIn(render({ 'ceph/x.yaml': subvolume + client }))[1];
    if (spec === undefined) throw new Error('no client');
    expect(documentFields(undefined, spec)).toContainEqual({
      path: 'subvolumes',
      desired: 'ceph-subvolume/f/_nogroup/a ro',
    });
  });
});

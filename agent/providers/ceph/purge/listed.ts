import { z } from 'zod';

import { isAbsent } from '../answers.ts';
import { valueIn } from '../asking.ts';
import type { Ceph, CephCommand } from '../driver.ts';
import { NO_GROUP } from '../observed.ts';
import { Names } from '../shapes.ts';
import type { PurgeThing } from './thing.ts';

const Texts = z.array(z.string());
const list = z.union([Texts, Names.transform((all) => all.map(({ name }) => name))]);

/** Whether it is in the list of its kind right now; undefined: nobody tells. Rejects with the signal's reason. */
export async function isListed(
  thing: PurgeThing,
  ceph: Ceph,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const answer = await ceph.call(listOf(thing), signal);
  // What it is in is not there.
  if (answer.status !== 'ok') return isAbsent(answer) ? false : undefined;
  const read = valueIn(answer.value, list);
  return 'value' in read ? read.value.includes(thing.names.at(-1) ?? '') : undefined;
}

function listOf({ what, names }: PurgeThing): CephCommand {
  const [first = '', second = ''] = names;
  switch (what) {
    case 'ceph-pool':
      return { to: 'mon', words: { prefix: 'osd pool ls' } };
    case 'ceph-filesystem':
      return { to: 'mon', words: { prefix: 'fs ls' } };
    case 'ceph-subvolume-group':
      return { to: 'mgr', words: { prefix: 'fs subvolumegroup ls', vol_name: first } };
    case 'ceph-subvolume':
      return {
        to: 'mgr',
        words: {
          prefix: 'fs subvolume ls',
          vol_name: first,
          ...(second !== NO_GROUP && { group_name: second }),
        },
      };
  }
}

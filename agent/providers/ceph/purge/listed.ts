import { z } from 'zod';

import { isAbsent } from '../answers.ts';
import { valueIn } from '../asking.ts';
import type { Ceph, CephCommand } from '../driver.ts';
import { NO_GROUP } from '../observed.ts';
import { Names } from '../shapes.ts';
import type { PurgeThing } from './thing.ts';

const Texts = z.array(z.string());
const list = z.union([Texts, Names.transform((all) => all.map(({ name }) => name))]);

/** What is in a file system or a group right now, by name; undefined: nobody tells. Other things have no content of their own. Rejects with the signal's reason. */
export async function contentNow(
  { what, names }: PurgeThing,
  ceph: Ceph,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const [first = '', second = ''] = names;
  const inGroup = (group: string): PurgeThing => ({
    what: 'ceph-subvolume',
    names: [first, group, ''],
  });
  const group: PurgeThing = { what: 'ceph-subvolume-group', names: [first, ''] };
  switch (what) {
    case 'ceph-pool':
    case 'ceph-subvolume':
      return [];
    case 'ceph-subvolume-group':
      return await listed(inGroup(second), ceph, signal);
    case 'ceph-filesystem': {
      const groups = await listed(group, ceph, signal);
      const loose = await listed(inGroup(NO_GROUP), ceph, signal);
      return groups && loose && [...groups.filter((one) => one !== NO_GROUP), ...loose];
    }
  }
}

/** Whether it is in the list of its kind right now; undefined: nobody tells. Rejects with the signal's reason. */
export async function isListed(
  thing: PurgeThing,
  ceph: Ceph,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const names = await listed(thing, ceph, signal);
  return names?.includes(thing.names.at(-1) ?? '');
}

/** Names of its kind where it would be; none where that is not there. */
async function listed(
  thing: PurgeThing,
  ceph: Ceph,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const answer = await ceph.call(listOf(thing), signal);
  if (answer.status !== 'ok') return isAbsent(answer) ? [] : undefined;
  const read = valueIn(answer.value, list);
  return 'value' in read ? read.value : undefined;
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

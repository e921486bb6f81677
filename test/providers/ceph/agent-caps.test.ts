import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { neededCommands, neededOfManager } from '../../../agent/providers/ceph/agent-caps.ts';
import { capsFor, daemonOf, sentCommands } from '../../../agent/providers/ceph/commands.ts';

const ofMonitors = neededCommands('client.site-*').map(({ command }) => command);

/** Needed, and not among what changes something: they read, and `allow r` does not reach them. */
const ONLY_READ = {
  'auth ls': 'the caps and keys of all clients',
  'auth get': 'whether a client is there before one is made',
  'config-key dump': 'the marks',
  'fs subvolumegroup ls': 'the manager daemon takes it by name, so that its module is not given',
  'fs subvolumegroup info': 'the same',
  'fs subvolume ls': 'the same',
  'fs subvolume info': 'the same',
};
/** Sent, and not in the list: `allow r` gives them. */
const PLAIN_READ = ['config get', 'df', 'fs dump', 'fs get', 'osd crush dump', 'osd crush rule dump', 'osd dump', 'osd pool get', 'status', 'versions']; // prettier-ignore

/** Every command that code of the agent names; what people start by hand is in folders of its own. */
function named(): readonly string[] {
  const folder = join(import.meta.dirname, '../../../agent/providers/ceph');
  const texts = readdirSync(folder).filter((file) => file.endsWith('.ts')).map((file) => readFileSync(join(folder, file), 'utf8')); // prettier-ignore
  const found = texts.join('\n').matchAll(/\bprefix: (?:z\.literal\()?'([a-z_ -]+)'/g);
  return [...new Set([...found].map(([, prefix = '']) => prefix))];
}

describe('what an agent is given', () => {
  it('is what it sends, and nothing else', () => {
    const needed = [...ofMonitors, ...neededOfManager];
    const changing = needed.filter((command) => !(command in ONLY_READ));
    expect(changing.toSorted()).toEqual([...sentCommands.mon, ...sentCommands.mgr].toSorted());
    expect(needed).toEqual(expect.arrayContaining(Object.keys(ONLY_READ)));
  });

  it('is of the daemon that carries it out', () => {
    expect(ofMonitors).toEqual(expect.arrayContaining([...sentCommands.mon]));
    expect(neededOfManager).toEqual(expect.arrayContaining([...sentCommands.mgr]));
  });

  it('covers every command that is named anywhere, whether it changes something or reads', () => {
    const given = [...ofMonitors, ...neededOfManager, ...PLAIN_READ];
    expect(named().toSorted()).toEqual(given.toSorted());
  });

  it('is named where it is missing, and not more than that', () => {
    const resize = { vol_name: 'a', group_name: 'b', new_size: 'inf', no_shrink: true } as const;
    const command = { prefix: 'fs subvolumegroup resize', ...resize } as const;
    expect(daemonOf(command)).toBe('mgr');
    expect(capsFor(command)).toBe('mgr \'allow command "fs subvolumegroup resize"\'');
  });
});

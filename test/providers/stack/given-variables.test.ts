import { describe, expect, it } from 'vitest';

import type { Memo } from '../../../agent/core/folder-kind.ts';
import { formatText } from '../../../agent/core/format.ts';
import type { Id, Rendered } from '../../../agent/core/kind.ts';
import { standInFor } from '../../../agent/core/outputs.ts';
import { renderRepository } from '../../../agent/core/repository.ts';
import { cephDocuments } from '../../../agent/providers/ceph/documents.ts';
import type { CephSpec } from '../../../agent/providers/ceph/spec.ts';
import { withValues } from '../../../agent/providers/stack/given-values.ts';
import { asObserved } from '../../../agent/providers/stack/as-observed.ts';
import { stackKind } from '../../../agent/providers/stack/provider.ts';
import { stackFolders } from '../../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../../agent/providers/stack/spec.ts';
import { stackFromWire, stackToWire } from '../../../agent/providers/stack/wire.ts';
import { compareUnits } from '../../../agent/planning.ts';
import { readCron } from '../../../agent/render/cron.ts';
import { Secret } from '../../../agent/core/secret.ts';
import { type Contents, filesOf, small } from '../../fakes/repository.ts';
import { observed } from '../../fakes/stack.ts';

const ID: Id = 'ceph-subvolume/cephfs/_nogroup/blog';
const PATH = '/volumes/_nogroup/blog/1b7f3d5c';

const subvolume = (name: string, variable: string): string =>
  `kind: CephSubvolume\nname: ${name}\nfilesystem: cephfs\noutput: ${variable}\n`;

const site: Contents = {
  ...small,
  'ceph/blog.yaml': subvolume('blog', 'BLOG_PATH'),
  'stacks/blog/stack.yaml': `kind: Stack\ndependsOn: [${ID}]\n`,
  'stacks/blog/compose.yaml': `
services:
  web:
    image: x
    environment: {CONTENT: "\${BLOG_PATH}", BLOG_PATH: }
    secrets: [also]
    volumes: [content:/content]
volumes:
  content: {driver: local, driver_opts: {type: ceph, device: ":\${BLOG_PATH}/files"}}
secrets:
  also: {file: also.txt}
`,
  'stacks/blog/also.txt': 'x',
};

interface Kept {
  readonly stacks: Memo<StackSpec>;
}

function render(contents: Contents, { stacks }: Kept = { stacks: new Map() }) {
  const documents = { folders: [cephDocuments], memo: new Map() };
  const ports = { kind: stackFolders, memo: stacks, documents, readCron };
  const outcome = renderRepository<StackSpec, CephSpec>(filesOf(contents), 'production', ports);
  if (outcome.status !== 'rendered') throw new Error('incomplete');
  return outcome;
}

const told = (contents: Contents): string =>
  formatText(render(contents).diagnostics, { colour: false });

function stackIn(contents: Contents, kept?: Kept): Rendered<StackSpec> {
  const all = render(contents, kept);
  const unit = all.units.find(({ id }) => id === 'stack/blog');
  if (unit === undefined || !('services' in unit.spec)) {
    throw new Error(formatText(all.diagnostics, { colour: false }));
  }
  // As the agent has it.
  return { ...unit, spec: stackFromWire.parse(stackToWire(unit.spec)) };
}

function whole(unit: Rendered<StackSpec>, path = PATH): StackSpec {
  const found = withValues(unit, new Map([[ID, path]]));
  if (found.status !== 'whole') throw new Error('lacking');
  return found.unit.spec;
}

describe('what a subvolume gives', () => {
  it('stands in all that its stack says with the variable', () => {
    const unit = stackIn(site);
    expect(unit.spec.outputs).toEqual([ID]);
    const spec = whole(unit);
    const { Env, Mounts } = spec.services['web']?.TaskTemplate.ContainerSpec ?? {};
    expect(Env).toEqual([`BLOG_PATH=${PATH}`, `CONTENT=${PATH}`]);
    expect(Mounts?.[0]?.VolumeOptions?.DriverConfig?.Options?.['device']).toBe(`:${PATH}/files`);
    expect(JSON.stringify(stackToWire(spec))).not.toContain('understudy.output');
    expect(spec.secrets['also']?.data?.reveal()).toBe(unit.spec.secrets['also']?.data?.reveal());
  });

  it('is the same object as long as it is the same value', () => {
    const unit = stackIn(site);
    expect(whole(unit)).toBe(whole(unit));
    expect(whole(unit, '/volumes/other')).not.toBe(whole(unit));
  });

  it('is lacking until it is known', () => {
    expect(withValues(stackIn(site), new Map())).toEqual({ status: 'lacking', units: [ID] });
  });

  it('is nothing to a stack that does not ask for it', () => {
    const unit = stackIn({ ...site, 'stacks/blog/stack.yaml': 'kind: Stack\n', ...plain });
    expect(unit.spec.outputs).toBeUndefined();
    expect(withValues(unit, new Map())).toEqual({ status: 'whole', unit });
  });

  it('has a stand-in that is the beginning of no other one', () => {
    const more = standInFor('ceph-subvolume/cephfs/_nogroup/blog/2');
    expect(more.startsWith(standInFor(ID))).toBe(false);
    expect(standInFor(`${ID}2`).startsWith(standInFor(ID))).toBe(false);
  });
});

describe('a stack that names what others give', () => {
  const empty = observed();
  const key = new Secret('a'.repeat(43));
  const seen = { ...empty, given: new Map([[ID, PATH]]) };

  it('is not called as long as that is not known', () => {
    const unit = stackIn(site);
    const why = `what \`${ID}\` gives is not known yet`;
    expect(stackKind.diff(unit, empty)).toEqual({
      operations: [],
      blocked: [{ target: 'stack/blog', why, waits: true }],
    });
    expect(stackKind.diff(unit, seen).blocked).toEqual([]);
    expect(JSON.stringify(stackKind.diff(unit, seen).operations)).toContain(PATH);
  });

  it('differs where it is another one by now', () => {
    const unit = stackIn(site);
    const there = withValues(unit, seen.given);
    const live = there.status === 'whole' ? asObserved([there.unit], key) : empty;
    expect(stackKind.diff(unit, { ...live, given: seen.given }).operations).toEqual([]);
    const moved = stackKind.diff(unit, { ...live, given: new Map([[ID, '/volumes/other']]) });
    expect(moved.operations.flatMap(({ fields }) => fields)).toContainEqual({
      path: 'services.web.TaskTemplate.ContainerSpec.Env.CONTENT',
      observed: PATH,
      desired: '/volumes/other',
    });
  });

  it('is compared between revisions by the names of what is given', () => {
    const before = stackIn(site);
    const written = (site['stacks/blog/compose.yaml'] ?? '').toString();
    const after = stackIn({ ...site, 'stacks/blog/compose.yaml': written.replace('/files', '/') });
    const plan = JSON.stringify(compareUnits('production', [before], [after]));
    expect(plan).toContain(`:{${ID}}/files`);
    expect(plan).not.toContain('understudy.output');
    expect(compareUnits('production', [before], [before]).units).toEqual([]);
  });
});

const plain: Contents = {
  'stacks/blog/compose.yaml': 'services: {web: {image: x}}\n',
};

describe('its variable', () => {
  it('is no variable of a stack that does not depend on it, which is told how to', () => {
    const text = told({ ...site, 'stacks/blog/stack.yaml': 'kind: Stack\n' });
    expect(text).toContain('the variable `BLOG_PATH` is not defined');
    expect(text).toContain(`\`${ID}\` gives it to stacks that name it in \`dependsOn\``);
  });

  it('has one value', () => {
    const environment = 'kind: Environment\nname: production\nvariables: {BLOG_PATH: /here}\n';
    const text = told({ ...site, 'environments/production.yaml': environment });
    expect(text).toContain(
      `\`${ID}\` gives the variable \`BLOG_PATH\`, and environments/production.yaml has it as well`,
    );
    const other = 'ceph-subvolume/cephfs/_nogroup/shop';
    const both = told({
      ...site,
      'ceph/shop.yaml': subvolume('shop', 'BLOG_PATH'),
      'stacks/blog/stack.yaml': `kind: Stack\ndependsOn: [${ID}, ${other}]\n`,
    });
    expect(both).toContain(
      `error[name-conflict]: \`${other}\` gives the variable \`BLOG_PATH\`, and \`${ID}\` gives it as well`,
    );
  });

  it('is another one: only stacks that know it are rendered again', () => {
    const kept = { stacks: new Map() };
    const shop = { 'stacks/shop/compose.yaml': 'services: {web: {image: x}}\n' };
    const before = { ...site, ...shop };
    expect(render(before, kept).work.rendered).toBe(3);
    const moved = {
      ...before,
      'ceph/blog.yaml': subvolume('blog', 'FOLDER'),
      'stacks/blog/compose.yaml': (site['stacks/blog/compose.yaml'] ?? '')
        .toString()
        .replaceAll('BLOG_PATH', 'FOLDER'),
    };
    const again = render(moved, kept);
    // The document too: it has no memo here.
    expect(again.work).toEqual({ rendered: 2, kept: 1 });
    expect(again.diagnostics).toEqual([]);
  });

  it('comes to be after a stack asked for it in vain', () => {
    const kept = { stacks: new Map() };
    const { 'ceph/blog.yaml': _document, ...without } = site;
    expect(render(without, kept).diagnostics).not.toEqual([]);
    expect(stackIn(site, kept).spec.outputs).toEqual([ID]);
  });
});

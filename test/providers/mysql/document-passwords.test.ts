import { describe, expect, it } from 'vitest';

import { digestOf } from '../../../agent/core/digest.ts';
import { renderRepository } from '../../../agent/core/repository.ts';
import type { KeyProblem } from '../../../agent/core/sops/vault.ts';
import { mysqlDocuments } from '../../../agent/providers/mysql/documents.ts';
import { stackFolders } from '../../../agent/providers/stack/render.ts';
import { readCron } from '../../../agent/render/cron.ts';
import { seal, vaultOf, type Who } from '../../core/sealed-support.ts';
import { blobOf, type Contents, filesOf, small } from '../../fakes/repository.ts';
import { mysql, render, told, unitIn, userIn } from './rendering.ts';

const FILE = 'secrets/blog.sops.yaml';
const ID = 'mysql-user/blog';
const CLEAR = 'db:\n  password: correct horse\n  pin: 1234\n  lines: |\n    hunter22\n';

const reading = (key: string, more = '', file = FILE): Contents =>
  mysql(`kind: MySQLUser\nname: blog\npassword:\n  fromFile: ${file}\n  key: ${key}\n${more}`);
const sealed = (text = CLEAR): Contents => seal(FILE, text);
const done = (contents: Contents, who: Who = 'holder', key?: Uint8Array | KeyProblem) =>
  render(contents, who, key === undefined ? {} : { key });

const passwordIn = (contents: Contents): string => {
  const { password } = userIn(done(contents), ID);
  return password.from === 'file' ? password.password.reveal() : '';
};

describe('a password of an encrypted file', () => {
  it('is in the spec, and printed nowhere', () => {
    const files = { ...reading('db.password', '  secret: blog_db\n'), ...sealed() };
    const outcome = done(files);
    expect(told(outcome)).toEqual([]);
    expect(passwordIn(files)).toBe('correct horse');
    expect(unitIn(outcome, ID).gives).toEqual(['secret:blog_db']);
    expect(JSON.stringify(outcome)).not.toContain('correct horse');
  });

  it.each([
    ['hunter22\\n', 'hunter22'],
    ['hunter22\\r\\n', 'hunter22'],
    ['hunter22', 'hunter22'],
    [' hunter22 ', ' hunter22 '],
  ])('%j is %j: one new line at its end is not typed', (written, password) => {
    expect(passwordIn({ ...reading('a'), ...sealed(`a: "${written}"\n`) })).toBe(password);
  });

  it('counts in the digest, and so does nothing else of its file', () => {
    const digest = (text: string): string =>
      unitIn(done({ ...reading('a'), ...sealed(text) }), ID).digest;
    expect(digest('a: one\n')).not.toBe(digest('a: two\n'));
    expect(digest('a: one\nb: x\n')).toBe(digest('a: one\nb: y\n'));
    expect(digest('a: one\n')).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each<[string, Contents, Contents, string]>([
    [
      'no file',
      reading('db.password'),
      {},
      'error[missing-file] mysql/x.yaml:4 (password.fromFile) there is no file `secrets/blog.sops.yaml` = write the path from the top of the repository',
    ],
    [
      'in clear',
      reading('db.password'),
      { [FILE]: CLEAR },
      'error[not-encrypted] mysql/x.yaml:4 (password.fromFile) `secrets/blog.sops.yaml` is not encrypted = encrypt it with `understudy encrypt secrets/blog.sops.yaml`; a value that was ever pushed in clear has to be replaced',
    ],
    [
      'no such key',
      reading('db.pasword'),
      sealed(),
      'error[missing-key] mysql/x.yaml:5 (password.key) `secrets/blog.sops.yaml` has no key `db.pasword` = did you mean `db.password`?',
    ],
    [
      'nothing alike',
      reading('constructor.name'),
      sealed(),
      'error[missing-key] mysql/x.yaml:5 (password.key) `secrets/blog.sops.yaml` has no key `constructor.name` = write the key as `a.b` for `b` in `a`',
    ],
    [
      'a mapping',
      reading('db'),
      sealed(),
      'error[wrong-type] mysql/x.yaml:5 (password.key) `db` of `secrets/blog.sops.yaml` is no text = name a key whose value is a text',
    ],
    [
      'a number',
      reading('db.pin'),
      sealed(),
      'error[wrong-type] mysql/x.yaml:5 (password.key) `db.pin` of `secrets/blog.sops.yaml` is no text = write it in quotes there',
    ],
    [
      'empty but for the end of the line',
      reading('a'),
      sealed('a: "\\n"\n'),
      'error[wrong-value] mysql/x.yaml:5 (password.key) `a` of `secrets/blog.sops.yaml` cannot be a password: a password is empty',
    ],
    [
      'nothing at all',
      reading('a'),
      sealed('a: ""\nb: x\n'),
      'error[wrong-value] mysql/x.yaml:5 (password.key) `a` of `secrets/blog.sops.yaml` cannot be a password: a password is empty',
    ],
    [
      'two lines',
      reading('a'),
      sealed('a: "hunter\\n22"\n'),
      'error[wrong-value] mysql/x.yaml:5 (password.key) `a` of `secrets/blog.sops.yaml` cannot be a password: a password holds a control character, such as the end of a line',
    ],
    [
      'too long',
      reading('a'),
      sealed(`a: ${'x'.repeat(256)}\n`),
      'error[wrong-value] mysql/x.yaml:5 (password.key) `a` of `secrets/blog.sops.yaml` cannot be a password: a password has at most 255 bytes',
    ],
    [
      'not encrypted itself',
      reading('a_unencrypted'),
      sealed('a_unencrypted: hunter22\nb: c\n'),
      'error[not-encrypted] mysql/x.yaml:5 (password.key) `a_unencrypted` of `secrets/blog.sops.yaml` is not encrypted = encrypt the file again; a value that was ever pushed in clear has to be replaced',
    ],
    [
      'too much',
      reading('a'),
      { [FILE]: `a: ${'x'.repeat(2 ** 20)}\n` },
      'error[too-large] mysql/x.yaml:4 (password.fromFile) `secrets/blog.sops.yaml` has more than 1 MiB = keep secrets in smaller files',
    ],
    [
      'outside',
      reading('a', '', '../x.sops.yaml'),
      {},
      'error[wrong-value] mysql/x.yaml:4 (password.fromFile) write a path inside the repository, without `..`',
    ],
  ])('%s', (_, document, files, words) => {
    const outcome = done({ ...document, ...files });
    expect(told(outcome)).toEqual([words]);
    expect(JSON.stringify(outcome)).not.toMatch(/hunter|correct horse/);
  });

  it('which several users name is wrong once', () => {
    const second = reading('b')['mysql/x.yaml'];
    const files = { ...reading('a'), 'mysql/y.yaml': String(second).replace('blog\n', 'shop\n') };
    const outcome = done({ ...files, ...sealed() }, 'holder', 'damaged');
    expect(told(outcome)).toEqual([
      'error[encryption-damaged] secrets/blog.sops.yaml:1 () the data key of the file is damaged',
    ]);
  });

  it('cannot be had without a key', () => {
    const outcome = done({ ...reading('db.password'), ...sealed() }, 'nobody');
    expect(outcome.diagnostics.map(({ code, place }) => [code, place?.file])).toEqual([
      ['missing-age-key', FILE],
    ]);
  });

  it('is not known where nobody has to have the key: the unit is closed, and keeps its edges', () => {
    const files = { ...reading('db.password', '  secret: blog_db\n'), ...sealed() };
    const outcome = done(files, 'passer-by');
    expect(told(outcome)).toEqual([]);
    const unit = unitIn(outcome, ID);
    expect(unit).toMatchObject({ closed: true, locked: 1, gives: ['secret:blog_db'] });
    expect(unit.digest).not.toBe(unitIn(done(files), ID).digest);
    // What is closed is equal to nothing that is known.
    expect(unit.digest).not.toBe(digestOf(unit.spec));
    const mistaken = done({ ...reading('db.nothing'), ...sealed() }, 'passer-by');
    expect(mistaken.diagnostics.map(({ code }) => code)).toEqual(['missing-key']);
  });

  it('stands in no word about another file', () => {
    const outcome = done({
      ...reading('a'),
      ...sealed('a: hunter22\n'),
      'mysql/y.yaml': 'kind: MySQLDatabase\nname: a\ncharacterSet: "not hunter22"\n',
    });
    expect(outcome.diagnostics).toHaveLength(1);
    expect(JSON.stringify(outcome.diagnostics)).not.toContain('hunter22');
  });

  it('or a hash is quoted nowhere', () => {
    const hash = '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29';
    const { diagnostics } = done(
      mysql(`{kind: MySQLUser, name: root, password: {hash: "${hash}"}}\n`),
    );
    expect(diagnostics.map(({ code }) => code)).toEqual(['wrong-name']);
    expect(JSON.stringify(diagnostics)).not.toContain(hash);
  });

  it('stands in no document that is encrypted itself', () => {
    const outcome = done(seal('mysql/x.yaml', 'kind: MySQLDatabase\nname: a\n'));
    expect(told(outcome)).toEqual([
      'error[encrypted-document] mysql/x.yaml:1 () the document is encrypted, or a value of it is = write it in clear: it holds nothing that is secret',
    ]);
  });
});

describe('work is in proportion to what changed', () => {
  const many = (count: number): Contents =>
    Object.fromEntries(
      Array.from({ length: count }, (_, at) => [
        `mysql/${String(at)}.yaml`,
        `kind: MySQLDatabase\nname: d${String(at)}\n---\nkind: MySQLUser\nname: u${String(at)}\npassword: ${at === 0 ? `{fromFile: ${FILE}, key: a}` : '{hash: "*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29"}'}\n`,
      ]),
    );

  it.each<[string, Contents, readonly string[]]>([
    ['nothing', {}, []],
    ['a file', { 'mysql/7.yaml': 'kind: MySQLDatabase\nname: x\n' }, ['mysql/7.yaml']],
    [
      'a file that is new',
      { 'mysql/a/b.yaml': 'kind: MySQLDatabase\nname: x\n' },
      ['mysql/a/b.yaml'],
    ],
    ['a file of passwords', sealed('a: other\n'), ['mysql/0.yaml']],
    ['a stack', { 'stacks/blog/compose.yaml': 'services: {web: {image: y}}\n' }, []],
  ])('after %s', (_, change, files) => {
    const memo = new Map();
    const vault = vaultOf('holder');
    const before = { ...many(50), ...sealed('a: one\n') };
    render(before, 'holder', { memo, vault });
    const begun = new Set<string>();
    const after = render({ ...before, ...change }, 'holder', {
      memo,
      vault,
      begin: (file) => begun.add(file),
    });
    // The stacks of this test are rendered anew each time.
    begun.delete('stacks/blog/compose.yaml');
    expect([...begun]).toEqual(files);
    expect(after.units).toEqual(render({ ...before, ...change }).units);
  });

  it('and what is not here yet is asked for, and kept by nobody before it is', () => {
    const files = { ...small, ...many(1), ...sealed('a: one\n') };
    const blobs = ['mysql/0.yaml', FILE].map((path) => blobOf(files[path] ?? ''));
    const memo = new Map();
    const again = (absent: readonly string[]) =>
      renderRepository(filesOf(files, new Set(absent)), 'production', {
        kind: stackFolders,
        memo: new Map(),
        documents: { folders: [mysqlDocuments], memo },
        readCron,
        vault: vaultOf('passer-by'),
      });
    expect(again(blobs)).toEqual({ status: 'incomplete', blobs: blobs.slice(0, 1) });
    expect(again(blobs.slice(1))).toEqual({ status: 'incomplete', blobs: blobs.slice(1) });
    expect(memo.size).toBe(0);
    expect(again([])).toMatchObject({ status: 'rendered', diagnostics: [] });
    expect(memo.size).toBe(1);
  });

  it('and what is gone is forgotten', () => {
    const memo = new Map();
    render({ ...many(3), ...sealed('a: one\n') }, 'holder', { memo });
    render({ ...many(1), ...sealed('a: one\n') }, 'holder', { memo });
    expect([...memo.keys()]).toEqual(['mysql/0.yaml']);
  });

  it('and another environment around renders all of it anew', () => {
    const memo = new Map();
    const files = mysql('kind: MySQLDatabase\nname: "${A:-a}"\n');
    render(files, 'holder', { memo });
    const around = 'kind: Environment\nname: production\nvariables: {A: b}\n';
    const { units } = render({ ...files, 'environments/production.yaml': around }, 'holder', { memo }); // prettier-ignore
    expect(units.map(({ id }) => id)).toContain('mysql-database/b');
  });
});

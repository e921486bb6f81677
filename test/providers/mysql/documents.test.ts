import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { digestOf } from '../../../agent/core/digest.ts';
import { cyclesOf, edgesOf } from '../../../agent/core/edges.ts';
import { formatText } from '../../../agent/core/format.ts';
import { mysqlFromWire, mysqlToWire } from '../../../agent/providers/mysql/wire.ts';
import type { MysqlSpec } from '../../../agent/providers/mysql/spec.ts';
import { seal } from '../../core/sealed-support.ts';
import type { Contents } from '../../fakes/repository.ts';
import { environment, mysql, render, told, unitIn, userIn } from './rendering.ts';

const user = (more = '', name = 'blog'): string =>
  `kind: MySQLUser\nname: ${name}\npassword: {generate: true, secret: "${name}_db"}\n${more}`;
const database = (more = '', name = 'blog'): string =>
  `kind: MySQLDatabase\nname: ${name}\n${more}`;
const role = (more = '', name = 'readers'): string => `kind: MySQLRole\nname: ${name}\n${more}`;
const all = (...documents: readonly string[]): Contents => mysql(documents.join('---\n'));

describe('documents become units', () => {
  it('several a file, in any folder below', () => {
    const done = render({
      ...all(database(), user('privileges: [{privileges: [ALL], database: blog}]\n')),
      'mysql/sites/a/b.yaml': role(),
    });
    expect(told(done)).toEqual([]);
    expect(done.units.map(({ id, gives, needs }) => ({ id, gives, needs }))).toEqual([
      { id: 'stack/blog', gives: ['network:blog_default'], needs: [] },
      { id: 'mysql-role/readers', gives: ['role:readers'], needs: [] },
      { id: 'mysql-database/blog', gives: ['database:blog'], needs: [] },
      { id: 'mysql-user/blog', gives: ['secret:blog_db'], needs: ['database:blog'] },
    ]);
    expect(unitIn(done, 'mysql-user/blog')).toMatchObject({
      place: { file: 'mysql/x.yaml', line: 5, path: 'name' },
      spec: { kind: 'MySQLUser', name: 'blog', hosts: ['%'], retention: 2_592_000_000 },
      dependsOn: [],
    });
    expect(unitIn(done, 'mysql-user/blog').spec).not.toHaveProperty('server');
  });

  it('with what stands beside the spec', () => {
    const done = render(
      all(database(), user('dependsOn: [stack/blog, stack/blog]\nsuspend: true\n')),
    );
    const unit = unitIn(done, 'mysql-user/blog');
    expect(unit).toMatchObject({ dependsOn: ['stack/blog'], suspended: true });
    const plain = unitIn(render(all(database(), user())), 'mysql-user/blog');
    expect(plain.digest).toBe(unit.digest);
    expect(plain).not.toHaveProperty('suspended');
    expect(plain.spec).toEqual(unit.spec);
  });

  it.each(['mysql-database', 'mysql-role', 'mysql-user'])('of the example %s', (name) => {
    const file = join(import.meta.dirname, `../../../schemas/examples/${name}.yaml`);
    const done = render({
      ...all(database('', 'site_1'), role()),
      ...environment('mysql: {allowed: [default]}\n'),
      'mysql/y.yaml': readFileSync(file, 'utf8')
        .replace('[stack/mysql]', '[stack/blog]')
        .replace(/^name: .*/mu, 'name: another'),
    });
    expect(told(done)).toEqual([]);
    expect(done.units.map(({ id }) => id)).toContain(`${name}/another`);
  });

  it('with keys of their own beside, and nothing between two lines of dashes', () => {
    const done = render(mysql(`---\n${database('x-note: hello\n')}---\n`));
    expect([told(done), done.units.length]).toEqual([[], 2]);
  });

  it('that alone make a repository', () => {
    const files = { ...all(database()), 'stacks/blog/compose.yaml': '' };
    const { 'stacks/blog/compose.yaml': _gone, ...bare } = files;
    expect(told(render({ ...bare })).length).toBe(0);
  });

  it.each<[string, string, boolean]>([
    ['adopt: true\n', '', false],
    ['deletionPolicy: Delete\n', '', false],
    ['hosts: ["10.%"]\n', '', false],
    ['rotate: x\n', '', false],
    ['dependsOn: [stack/blog]\n', '', true],
    ['suspend: true\n', '', true],
    ['x-why: x\n', '', true],
    ['', 'mysql: {default: main}\n', false],
  ])('of which `%s%s` counts in the digest or not', (more, around, same) => {
    const before = unitIn(render(all(user())), 'mysql-user/blog').digest;
    const after = render({ ...all(user(more)), ...(around !== '' && environment(around)) });
    expect(unitIn(after, 'mysql-user/blog').digest === before).toBe(same);
  });
});

describe('servers', () => {
  it.each<[string, string, string | undefined, string]>([
    ['', '', undefined, 'mysql-database/blog'],
    ['mysql: {default: main}\n', '', 'main', 'mysql-database/blog'],
    ['mysql: {default: main}\n', 'server: main\n', 'main', 'mysql-database/blog'],
    ['mysql: {default: main}\n', 'server: default\n', 'main', 'mysql-database/blog'],
    ['mysql: {allowed: [main]}\n', '', 'main', 'mysql-database/blog'],
    ['mysql: {allowed: [main]}\n', 'server: main\n', 'main', 'mysql-database/blog'],
    ['mysql: {default: main, allowed: [old]}\n', 'server: old\n', 'old', 'mysql-database/old/blog'],
    ['mysql: {default: main, allowed: [old]}\n', 'server: main\n', 'main', 'mysql-database/blog'],
  ])('with `%s` and `%s`', (around, more, server, id) => {
    const done = render({ ...all(database(more)), ...environment(around) });
    expect(told(done)).toEqual([]);
    const { spec, gives } = unitIn(done, id);
    expect('server' in spec ? spec.server : undefined).toBe(server);
    expect(gives).toEqual([id.replace('mysql-database/', 'database:')]);
  });

  it.each<[string, string, string]>([
    [
      '',
      'server: main\n',
      'error[not-allowed] mysql/x.yaml:3 (server) the environment `production` does not allow the server `main` = add it to `mysql: {allowed: […]}` of environments/production.yaml, or leave the key out',
    ],
    [
      'mysql: {default: main}\n',
      'server: mian\n',
      'error[not-allowed] mysql/x.yaml:3 (server) the environment `production` does not allow the server `mian` = did you mean `main`?',
    ],
    [
      'mysql: {allowed: [one, two]}\n',
      '',
      'error[missing-key] mysql/x.yaml:2 (name) the environment has several servers and no default: `one`, `two` = name one of them, or write `mysql: {default: …}` in environments/production.yaml',
    ],
    [
      'mysql: {allowed: 5}\n',
      'server: main\n',
      'error[wrong-type] environments/production.yaml:3 (mysql.allowed) expected a list, found a number',
    ],
  ])('with `%s` not by `%s`', (around, more, text) => {
    const done = render({ ...all(database(more)), ...environment(around) });
    expect(told(done)).toEqual([text]);
  });

  it('keep apart what has one name on two of them', () => {
    const done = render({
      ...all(
        database(),
        database('server: old\n'),
        user('privileges: [{privileges: [ALL], database: blog}]\nserver: old\n'),
        role('', 'r'),
        user('roles: [r]\nserver: old\n', 'two'),
      ),
      ...environment('mysql: {default: main, allowed: [old]}\n'),
    });
    expect(told(done)).toEqual([
      'warning[undefined-unit] mysql/x.yaml:20 (roles[0]) the repository does not declare the role `r` = write a document for it, unless somebody else has made it',
    ]);
    expect(unitIn(done, 'mysql-user/old/blog').needs).toEqual(['database:old/blog']);
    expect(unitIn(done, 'mysql-user/old/two').needs).toEqual([]);
  });
});

describe('variables', () => {
  it('stand in texts, and two environments have two ids', () => {
    const files = {
      ...all(database('', '${SITE}'), user('hosts: ["${NET:-10.%}"]\n', '${SITE}')),
      'environments/production.yaml': 'kind: Environment\nname: production\nvariables: {SITE: a}\n',
      'environments/staging.yaml': 'kind: Environment\nname: staging\nvariables: {SITE: b$c}\n',
    };
    const done = render(files);
    expect(done.units.map(({ id }) => id)).toContain('mysql-user/a');
    expect(userIn(done, 'mysql-user/a')).toMatchObject({ hosts: ['10.%'] });
    const other = render(files, 'holder', { environment: 'staging' });
    expect(told(other)).toEqual([
      'error[wrong-value] mysql/x.yaml:6 (password.secret) write a name of letters, digits, `-`, `_` and `.` that begins with a letter or digit',
    ]);
  });

  it.each<[string, string]>([
    [
      'privileges: [{privileges: [ALL], database: "${BLOK}"}]\n',
      'error[undefined-variable] mysql/x.yaml:4 (privileges[0].database) the variable `BLOK` is not defined = did you mean `BLOG`?',
    ],
    [
      'server: "${X}"\n',
      'error[undefined-variable] mysql/x.yaml:4 (server) the variable `X` is not defined = define it in `variables` of environments/production.yaml, write `${X:-default}`, or `$$` for the character itself',
    ],
    [
      'hosts: ["a$"]\n',
      'error[interpolation] mysql/x.yaml:4 (hosts[0]) a `$` is not followed by a variable = write `$$` for the character itself; variables are `${NAME}`, `${NAME:-default}` or `${NAME:?message}`',
    ],
    [
      'locked: "${BLOG}"\n',
      'error[wrong-type] mysql/x.yaml:4 (locked) write `true` or `false`, not a text',
    ],
  ])('of `%s`', (more, text) => {
    const done = render({ ...all(user(more)), ...environment('variables: {BLOG: blog}\n') });
    expect(told(done)).toEqual([text]);
  });

  it('that are encrypted stand nowhere', () => {
    const around = 'kind: Environment\nname: production\nvariables: {KEY: hunter22}\n';
    const done = render({
      ...all(user('rotate: a${KEY}\n')),
      ...seal('environments/production.yaml', around, { encrypted_regex: '^variables$' }),
    });
    expect(told(done)).toEqual([
      'error[encrypted-document] mysql/x.yaml:4 (rotate) the variable `KEY` is encrypted, and what a document about a server says is shown everywhere = write it in clear; a password stands in a SOPS file that `fromFile` names',
    ]);
    expect(JSON.stringify(done)).not.toContain('hunter22');
  });
});

describe('an environment has the documents that it chooses by their ids', () => {
  const two = all(database('', 'a'), user('', 'b'));
  it.each<[string, readonly string[], readonly string[]]>([
    ['', ['stack/blog', 'mysql-database/a', 'mysql-user/b'], []],
    ['stacks: {include: [blog]}\n', ['stack/blog'], []],
    ['stacks: {include: [blog, mysql-user/*]}\n', ['stack/blog', 'mysql-user/b'], []],
    ['stacks: {exclude: ["mysql-*"]}\n', ['stack/blog'], []],
    ['stacks: {exclude: [blog]}\n', ['mysql-database/a', 'mysql-user/b'], []],
    [
      'stacks: {exclude: [mysql-user/bb]}\n',
      ['stack/blog', 'mysql-database/a', 'mysql-user/b'],
      [
        'warning[unmatched-pattern] environments/production.yaml:3 (stacks.exclude[0]) no unit of the repository is called `mysql-user/bb` = did you mean `mysql-user/b`?',
      ],
    ],
  ])('%s', (around, ids, words) => {
    const done = render({ ...two, ...environment(around) });
    expect([done.units.map(({ id }) => id), told(done)]).toEqual([ids, words]);
  });

  it('and of one that is left out nothing is asked', () => {
    const wrong = all(database(), user('hosts: ["${HERE_NOT}"]\nwrong: 1\n'));
    const done = render({ ...wrong, ...environment('stacks: {exclude: [mysql-user/blog]}\n') });
    expect(told(done)).toEqual([]);
  });

  it('and nothing of it depends on one that is left out', () => {
    const done = render({
      ...all(database(), user('dependsOn: [mysql-database/blog]\n')),
      ...environment('stacks: {exclude: [mysql-database/*]}\n'),
    });
    expect(told(done)).toEqual([
      'error[undefined-unit] mysql/x.yaml:7 (dependsOn[0]) the environment `production` does not have `mysql-database/blog` = `stacks` of environments/production.yaml leaves it out: include it, or leave this stack out as well',
    ]);
  });

  it.each<[string, readonly string[]]>([
    ['mysql-user/b', []],
    ['mysql-database/a', []],
    [
      'mysql-user/bb',
      [
        'error[undefined-unit] environments/production.yaml:3 (rollout.canary[0]) the repository has no `mysql-user/bb`',
      ],
    ],
    [
      'stack/blok',
      [
        'error[undefined-unit] environments/production.yaml:3 (rollout.canary[0]) the repository has no `stack/blok` = did you mean `stack/blog`?',
      ],
    ],
  ])('and canaries may be documents: %s', (id, words) => {
    const around = environment(
      `rollout: {canary: [${id}]}\nstacks: {exclude: [mysql-database/a]}\n`,
    );
    expect(told(render({ ...two, ...around }))).toEqual(words);
  });
});

describe('edges', () => {
  const stack =
    'services: {web: {image: x, secrets: [blog_db]}}\nsecrets: {blog_db: {external: true}}\n';
  it('lead from a stack to the user whose secret it mounts, from there to databases and roles', () => {
    const done = render({
      ...all(
        user('privileges: [{privileges: [ALL], database: b.l}]\nroles: [readers]\n'),
        role('privileges: [{privileges: [SELECT], database: B}]\n'),
        database('', 'b.l'),
        database('', 'b'),
        database('', 'B'),
      ),
      'stacks/blog/compose.yaml': stack,
    });
    expect(told(done)).toEqual([]);
    expect(Object.fromEntries(edgesOf(done.units))).toMatchObject({
      'stack/blog': ['mysql-user/blog'],
      'mysql-user/blog': ['mysql-database/b.l', 'mysql-role/readers'],
      'mysql-role/readers': ['mysql-database/B'],
    });
    expect(cyclesOf(edgesOf(done.units))).toEqual([]);
  });

  it('that lead round are a mistake', () => {
    const files = { ...all(user('dependsOn: [stack/blog]\n')), 'stacks/blog/compose.yaml': stack };
    const words = formatText(render(files).diagnostics, { colour: false });
    expect(words).toContain('error[dependency-cycle]');
    expect(words).toContain('mysql/x.yaml:4:13');
    expect(words).toContain('`stack/blog` needs secret blog_db, which `mysql-user/blog` makes');
  });

  it('lead to nothing that is declared nowhere, or that a pattern opens', () => {
    const done = render(
      all(
        user(
          'privileges:\n  - {privileges: [ALL], database: other}\n  - {privileges: [ALL]}\n  - {privileges: [ALL], database: blog, pattern: true}\n',
        ),
        database(),
      ),
    );
    expect([told(done), unitIn(done, 'mysql-user/blog').needs]).toEqual([[], []]);
  });

  it('of a document with a mistake make no second one', () => {
    const done = render(all(user('roles: [readers]\n'), role('wrong: 1\n')));
    expect(told(done)).toEqual(['error[unknown-key] mysql/x.yaml:8 (wrong) unknown key `wrong`']);
  });
});

describe('what was rendered crosses the pipe', () => {
  it('and is the same behind it', () => {
    const done = render({
      ...all(
        database('collation: utf8mb4_bin\n'),
        role('privileges: [{privileges: [SELECT], database: a, table: b, columns: [c]}]\n'),
        user('require: {subject: x}\nplugin: mysql_native_password\nrotate: "1"\n'),
        'kind: MySQLUser\nname: h\npassword: {hash: "*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29"}\n',
        'kind: MySQLUser\nname: f\npassword: {fromFile: secrets/a.sops.yaml, key: a, secret: f}\n',
      ),
      ...seal('secrets/a.sops.yaml', 'a: hunter22\n'),
    });
    expect(told(done)).toEqual([]);
    const specs = done.units
      .map(({ spec }) => spec)
      .filter((spec): spec is MysqlSpec => 'kind' in spec);
    expect(specs).toHaveLength(5);
    for (const spec of specs) {
      const text = JSON.stringify(mysqlToWire(spec));
      const back = mysqlFromWire.parse(JSON.parse(text));
      expect(mysqlToWire(back)).toEqual(JSON.parse(text));
      expect(digestOf(back)).toBe(digestOf(spec));
    }
    const read = mysqlFromWire.parse(JSON.parse(JSON.stringify(mysqlToWire(userIn(done, 'mysql-user/f'))))); // prettier-ignore
    expect(JSON.stringify(read)).not.toContain('hunter22');
    expect(JSON.stringify(mysqlToWire(read))).toContain('hunter22');
  });

  it.each<[string, object]>([
    ['another key', { more: 1 }],
    ['another kind', { kind: 'MySQLView' }],
    ['no name', { name: '' }],
    ['another policy', { deletionPolicy: 'Delete' }],
  ])('or is refused with %s', (_, change) => {
    const { spec } = unitIn(render(all(database())), 'mysql-database/blog');
    expect(mysqlFromWire.safeParse(spec).success).toBe(true);
    expect(mysqlFromWire.safeParse({ ...spec, ...change }).success).toBe(false);
  });
});

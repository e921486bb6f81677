import { describe, expect, it } from 'vitest';
import { adviceText } from '../../agent/rehearsal/advice.ts';
import {
  parseRehearse,
  rehearseUsage,
  usualStage,
  wrongUse,
} from '../../agent/rehearsal/arguments.ts';
import { planStage } from '../../agent/rehearsal/plan.ts';

describe('parseRehearse', () => {
  it('builds the usual stage with an agent if nothing is said', () => {
    expect(parseRehearse([])).toEqual({
      stage: {},
      down: false,
      fresh: false,
      agent: true,
      once: false,
      keepPackages: false,
      help: false,
    });
  });

  it('takes the options of a second stage', () => {
    const args = [
      '--name',
      'ust',
      '--subnet',
      '10.213.78.0/24',
      '--engine',
      'trixie',
      '--folder',
      '/srv/a',
      '--packages',
      '/srv/p',
      '--down',
    ];
    expect(parseRehearse(args)).toMatchObject({
      stage: {
        name: 'ust',
        subnet: '10.213.78.0/24',
        engine: 'trixie',
        folder: '/srv/a',
        packages: '/srv/p',
      },
      down: true,
    });
  });

  it.each([
    ['--mysql', 'single'],
    ['--mysql --no-agent', 'single'],
    ['--mysql group', 'group'],
    ['--mysql=galera --fresh', 'galera'],
  ])('takes %s for the database servers that it names', (args, mysql) => {
    expect(parseRehearse(args.split(' '))).toMatchObject({ stage: { mysql } });
  });

  it.each([
    ['--full', true],
    ['--full --mysql group', true],
    ['--full --mysql galera', false],
    ['--full --mysql none', false],
    ['--mysql group --ceph', false],
  ])('has a router with `%s`: %s', (args, expected) => {
    const wanted = parseRehearse(args.split(' '));
    if (typeof wanted === 'string') throw new Error(wanted);
    expect(planStage(usualStage(wanted)).router !== undefined).toBe(expected);
  });

  it.each([
    ['', 'single'],
    ['--once --fresh', 'single'],
    ['--mysql galera', 'galera'],
    ['--mysql none', undefined],
    ['--no-agent', undefined],
    ['--no-agent --mysql', 'single'],
  ])('builds a new stage asked for with `%s` with these servers: %s', (args, mysql) => {
    const wanted = parseRehearse(args === '' ? [] : args.split(' '));
    if (typeof wanted === 'string') throw new Error(wanted);
    expect(usualStage(wanted).mysql).toBe(mysql);
  });

  it('keeps the servers of a stage that stands unless it is told otherwise', () => {
    expect(parseRehearse([])).toMatchObject({ stage: {} });
    expect(parseRehearse([])).not.toHaveProperty('stage.mysql');
    expect(parseRehearse(['--mysql', 'none'])).toHaveProperty('stage.mysql', undefined);
  });

  it.each([
    ['--mysql cluster', '--mysql is one of single, group, galera, none'],
    ['--nothing', "unknown option '--nothing'"],
    ['word', "unexpected argument 'word'"],
    ['--name', "option '--name <value>' argument missing"],
    ['--name --once', "option '--name' argument is ambiguous"],
    ['--down=yes', "option '--down' does not take an argument"],
    ['--keep-packages', '--keep-packages goes with --down only'],
    ['--down --once', '--down and --once do not go together'],
    ['--fresh --down', '--down and --fresh do not go together'],
    ['--no-agent --down', '--down and --no-agent do not go together'],
    ['--no-agent --once', '--once and --no-agent do not go together'],
  ])('refuses `%s` with one line', (args, why) => {
    expect(parseRehearse(args.split(' '))).toBe(why);
    expect(wrongUse(why)).toBe(`rehearse: ${why}; ./rehearse --help says more`);
  });

  it.each(['--down --keep-packages', '--fresh --once', '--fresh --no-agent', '--once --down -h'])(
    'takes `%s`',
    (args) => expect(parseRehearse(args.split(' '))).toEqual(expect.any(Object)),
  );

  it('documents every option that it takes', () => {
    const options = [
      'down',
      'keep-packages',
      'fresh',
      'no-agent',
      'once',
      'name',
      'subnet',
      'engine',
      'mysql',
      'ceph',
      'full',
      'folder',
      'packages',
      'help',
    ];
    expect([...rehearseUsage.matchAll(/^ {2}--([a-z-]+)/gm)].map((match) => match[1])).toEqual(
      options,
    );
  });
});

describe('adviceText', () => {
  const named = {
    folder: '/var/lib/stage',
    page: { port: 8080, nodes: ['10.213.77.11', '10.213.77.12'] },
    database: false,
    router: false,
    again: './rehearse',
    project: '/srv/understudy',
  };

  it('is commands to paste', async () => {
    await expect(adviceText(named)).toMatchFileSnapshot('../golden/rehearsal/advice.txt');
  });

  it('says of a database what there is to try', () => {
    const text = adviceText({ ...named, database: true });
    expect(text).toContain("/var/lib/stage/mysql -te 'SHOW GRANTS FOR blog'");
    expect(text).toContain(':8081/');
    expect(adviceText({ ...named, page: undefined, database: true })).not.toContain('curl');
  });

  it('says of a router how it is asked and set right, where there is one', () => {
    const text = adviceText({ ...named, database: true, router: true });
    expect(text).toContain('STAGE_HOST=db2 /var/lib/stage/mysql');
    expect(text).toContain('to have the router lead to the primary again:\n  ./rehearse\n');
    expect(adviceText({ ...named, database: true })).not.toContain('router');
  });

  it('says nothing of a page where there is none', () => {
    expect(adviceText({ ...named, page: undefined })).not.toContain('curl');
  });

  it('quotes the folder of a project that a shell would split', () => {
    expect(adviceText({ ...named, project: "/srv/it's mine" })).toContain(
      String.raw`(cd '/srv/it'\''s mine' && npx understudy validate /var/lib/stage/infra)`,
    );
  });
});

import { describe, expect, it } from 'vitest';
import { adviceText } from '../../agent/rehearsal/advice.ts';
import { parseRehearse, rehearseUsage } from '../../agent/rehearsal/arguments.ts';

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
      '--folder',
      '/srv/a',
      '--packages',
      '/srv/p',
      '--down',
    ];
    expect(parseRehearse(args)).toMatchObject({
      stage: { name: 'ust', subnet: '10.213.78.0/24', folder: '/srv/a', packages: '/srv/p' },
      down: true,
    });
  });

  it.each([[['--nothing']], [['word']], [['--name']], [['--down=yes']]])(
    'refuses %j with a sentence',
    (args) => {
      expect(parseRehearse(args)).toEqual(expect.any(String));
    },
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
  it('is commands to paste', async () => {
    const text = adviceText('/var/lib/stage', 'http://10.213.77.11:8080/', './rehearse');
    await expect(text).toMatchFileSnapshot('../golden/rehearsal/advice.txt');
  });

  it('says nothing of a page where there is none', () => {
    expect(adviceText('/var/lib/stage', undefined, './rehearse')).not.toContain('curl');
  });
});

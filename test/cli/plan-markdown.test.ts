import { describe, expect, it } from 'vitest';

import { invalidMarkdown, MARKER, planMarkdown } from '../../agent/cli/plan-markdown.ts';
import type { Plans } from '../../agent/cli/plan-ports.ts';
import type { PlannedUnit } from '../../agent/core/plan.ts';

const to = { revision: 'folder', subject: '' };

function unit(id: string, parts: Partial<PlannedUnit> = {}): PlannedUnit {
  const operation = { target: `service ${id}`, verb: 'update', effect: 'restart' } as const;
  const field = { path: 'services.web.image', observed: 'site:1', desired: 'site:2' };
  return {
    id: `stack/${id}`,
    change: 'change',
    wave: 1,
    operations: [{ ...operation, fields: [field] }],
    blocked: [],
    notes: [],
    ...parts,
  };
}

function plansOf(...units: PlannedUnit[]): Plans {
  const plan = { environment: 'production', units, unchanged: 2, notes: [] };
  return {
    from: { revision: 'c0ffee0000aa', subject: '' },
    to,
    environments: [plan],
    notes: [],
    warnings: [],
  };
}

/** Lines that stand in no fenced block, as CommonMark reads them. */
function outside(markdown: string): string[] {
  let fence: string | undefined;
  return markdown.split('\n').filter((line) => {
    const [, run] = /^ {0,3}(`{3,})/.exec(line) ?? [];
    if (fence === undefined) {
      fence = run;
      return run === undefined;
    }
    if (run !== undefined && run.length >= fence.length && line.trim() === run) fence = undefined;
    return false;
  });
}

describe('a plan as a comment', () => {
  it('begins with what a workflow finds it by, and says the whole in one line', async () => {
    const removed = unit('old', {
      change: 'remove',
      wave: 2,
      operations: [{ target: 'service old', verb: 'remove', effect: 'destructive', fields: [] }],
    });
    const text = planMarkdown(plansOf(unit('blog'), removed));
    await expect(text).toMatchFileSnapshot('../golden/plan/comment.md');
    expect(text.split('\n')[0]).toBe(MARKER);
  });

  const hostile = [
    '```\n# out\n```',
    '`````````` @everyone',
    '</details></code><script>alert(1)</script>',
    '--> @admin [link](http://x) ![](http://x)',
    '/close',
    '`````',
    '\u202egnp\u0007',
  ];

  it.each(hostile)('lets nothing of the repository out of its block: %j', (evil) => {
    const comment = (word: string): string => {
      const field = { path: word, observed: word, desired: `${word}2` };
      const operation = { target: word, verb: 'update', effect: 'none', fields: [field] } as const;
      const plans = plansOf(
        unit('blog', { operations: [operation], held: word, blocked: [word], notes: [word] }),
        unit('idle', { change: 'keep', operations: [], notes: [word] }),
      );
      return planMarkdown({ ...plans, notes: [word] });
    };
    const text = comment(evil);
    expect(['\u202e', '\u0007'].filter((hidden) => text.includes(hidden))).toEqual([]);
    expect(outside(text)).toEqual(outside(comment('harmless')));
    expect(outside(text).length).toBeLessThan(text.split('\n').length - 10);
  });

  it('escapes what stands in a heading', () => {
    const plans = plansOf();
    const [plan] = plans.environments;
    if (plan === undefined) throw new Error('no plan');
    const evil = { ...plan, environment: '</code><b>`@all`*x*' };
    const heading = planMarkdown({ ...plans, environments: [evil] })
      .split('\n')
      .find((line) => line.startsWith('####'));
    expect(heading).toBe(
      '#### <code>&#60;/code&#62;&#60;b&#62;&#96;&#64;all&#96;&#42;x&#42;</code>: no changes, 2 units unchanged',
    );
  });

  it('stays within what a platform takes, and says how much is left out', () => {
    const fields = Array.from({ length: 500 }, (_, n) => {
      return { path: `services.web.environment.V${String(n)}`, desired: 'x'.repeat(200) };
    });
    const operation = { target: 'service web', verb: 'update', effect: 'none', fields } as const;
    const long = planMarkdown(plansOf(unit('blog', { operations: [operation] })));
    expect(long).toContain('… and 441 more lines');
    const many = Array.from({ length: 1_200 }, (_, n) => unit(`site${String(n)}`));
    const text = planMarkdown(plansOf(...many));
    expect(text.length).toBeLessThan(65_000);
    expect(outside(text).at(-2)).toMatch(/^… and \d+ more stacks/);
    const left = Number(/and (\d+) more stacks/.exec(text)?.[1]);
    expect(text.split('<details>').length - 1 + left).toBe(1_200);
    expect(text.split('<details>')).toHaveLength(text.split('</details>').length);
  });

  describe('where something is cut', () => {
    const long = (id: string): PlannedUnit => {
      const fields = Array.from({ length: 58 }, (_, n) => {
        return { path: `services.web.environment.V${String(n)}`, desired: 'x'.repeat(250) };
      });
      const operation = { target: 'service web', verb: 'update', effect: 'none', fields } as const;
      return unit(id, { operations: [operation] });
    };
    const named = (environment: string, units: readonly PlannedUnit[]) => {
      return { environment, units, unchanged: 0, notes: [] };
    };
    const comment = (...environments: Plans['environments']): string => {
      const { from: _from, ...plans } = plansOf();
      return planMarkdown({ ...plans, environments });
    };

    it('cuts all that follows a heading that has no room, so that nothing stands under another one', () => {
      const environment = 'e'.repeat(2_000);
      const units = ['a', 'b', 'c'].map(long);
      const room = 60_000 - comment(named('production', units)).length;
      const filler = unit('filler', {
        operations: [],
        blocked: Array.from({ length: 50 }, () => 'x'.repeat(Math.floor(room / 50) - 30)),
      });
      const text = comment(
        named('production', [...units, filler]),
        named(environment, [unit('short')]),
      );
      const shown = ['filler', 'eee', 'short', '… and 1 more stack:'];
      expect(shown.map((part) => text.includes(part))).toEqual([true, false, false, true]);
    });

    it('says so where no stack is left out', () => {
      const environments = Array.from({ length: 1_700 }, (_, n) => named(`e${String(n)}`, []));
      const text = comment(...environments);
      expect(text.length).toBeLessThan(65_000);
      expect(outside(text).at(-2)).toBe('… and more: `understudy plan` shows it.');
    });
  });

  it('says that there is no plan where a revision is invalid', () => {
    const place = { file: 'a.yaml', line: 1, column: 1, length: 1, quoted: '```' };
    const mistake = { severity: 'error', code: 'syntax', message: '@all', place } as const;
    const text = invalidMarkdown(to, [mistake]);
    expect(text.split('\n')[0]).toBe(MARKER);
    expect(text).toContain('### Understudy plan: invalid, 1 error in the work tree');
    expect(outside(text).join('\n')).not.toContain('@all');
  });
});

import { describe, expect, it } from 'vitest';

import { substitute } from '../../agent/core/interpolate.ts';
import { castText } from '../../agent/providers/stack/compose/casts.ts';

const variables = { SET: 'val', TAG: '1.2', EMPTY: '', constructor_: 'c' };
const kinds = (text: string) => substitute(text, variables).findings.map(({ kind }) => kind);

describe('substitution', () => {
  it.each([
    ['plain', 'plain', []],
    ['$$SET $$', '$SET $', []],
    ['$SET', 'val', []],
    ['${SET}x', 'valx', []],
    ['http://$SET:8080/a-b', 'http://val:8080/a-b', []],
    ['$TAG.x-y', '1.2.x-y', []],
    ['$TAG/foo-bar', '1.2/foo-bar', []],
    ['$SET: -x', 'val: -x', []],
    ['${UNSET:-a}', 'a', []],
    ['${UNSET:-}', '', []],
    ['${EMPTY:-a}', 'a', []],
    ['${EMPTY-a}', '', []],
    ['${UNSET-a}', 'a', []],
    ['${SET:-a}', 'val', []],
    ['${SET:?m}', 'val', []],
    ['${EMPTY?m}', '', []],
    ['${U:-"q"}', '"q"', []],
    ['${UNSET:-a}b}', 'ab}', []],
    ['${UNSET:-a?b}', 'a?b', []],
    ['${UNSET:-http://h:80/p?x=1}', 'http://h:80/p?x=1', []],
    ['${UNSET:-$SET}', '$SET', []],
    ['${UNSET:-${SET}}', '${SET}', []],
    ['${UNSET:-a\nb}', 'a\nb', []],
    ['${X-Y}', 'Y', []],
    // Surprises of the CLI, with a warning.
    ['app-$TAG-alpine', 'app-1.2', ['trap']],
    ['$SET-x', 'val', ['trap']],
    ['$TAG?x', '1.2', ['trap']],
    ['$TAG:-x}y', '1.2}y', ['trap']],
    ['${SET:?must-be-set}', 'be-set', ['trap']],
    ['${UNSET?a-b}', 'b', ['trap']],
    ['${UNSET-a:-b}', 'b', ['trap']],
    // Mistakes.
    ['${UNSET}', '', ['undefined']],
    ['$UNSET', '', ['undefined']],
    ['${toString}', '', ['undefined']],
    ['${UNSET:?m}', '', ['required']],
    ['${EMPTY:?m}', '', ['required']],
    ['${UNSET?m}', '', ['required']],
  ])('%j', (text, result, findings) => {
    expect(substitute(text, variables).text).toBe(result);
    expect(kinds(text)).toEqual(findings);
  });

  it.each([
    '$1',
    '${}',
    '${1A}',
    '${A }',
    '$',
    'a$',
    '$-',
    '${A:+b}',
    '${A+b}',
    '${A:=b}',
    '${A:0:1}',
    '${A',
    '$ A',
  ])('cannot read %j', (text) => expect(kinds(text)).toContain('unreadable'));

  it('replaces once: what a variable holds is not read again', () => {
    expect(substitute('$A', { A: '$B ${C} $$' }).text).toBe('$B ${C} $$');
  });
});

describe('casts', () => {
  it.each([
    ['services.a.deploy.replicas', '3', 3],
    ['services.a.deploy.replicas', '+3', 3],
    ['services.a.deploy.replicas', '-1', -1],
    ['services.a.secrets.0.mode', '0440', 440],
    ['services.a.deploy.update_config.max_failure_ratio', '.25', 0.25],
    ['services.a.healthcheck.disable', 'YES', true],
    ['networks.n.internal', 'off', false],
    ['services.a.image', '5', '5'],
    ['services.a.environment.A', 'true', 'true'],
    ['services.a.deploy.resources.limits.pids', '5', '5'],
  ])('%s = %j', (path, text, value) => expect(castText(text, path.split('.'))).toEqual({ value }));

  it.each([
    ['services.a.deploy.replicas', ' 3'],
    ['services.a.deploy.replicas', ''],
    ['services.a.deploy.replicas', '3.0'],
    ['services.a.ports.0.target', '0x50'],
    ['networks.n.internal', '1'],
    ['services.a.deploy.update_config.max_failure_ratio', 'x'],
  ])('%s refuses %j', (path, text) =>
    expect(castText(text, path.split('.'))).toHaveProperty('wanted'),
  );
});

import { describe, expect, it } from 'vitest';

import { differences } from './compare.ts';
import { ignoredByDocker, judge } from './judge.ts';
import { convert, placeless, requestsOf } from './ours.ts';
import { isEqual, report } from './report.ts';

const ours = (text: string) =>
  convert({
    stack: 's1',
    texts: [{ file: 'p/q/1.yml', text }],
    variables: {},
    stubs: new Map(),
  });
const web = ours('services: {web: {image: nginx, container_name: w, volumes: ["./a:/a"]}}\n');

function requests() {
  if (web.result === undefined) throw new Error('no result');
  return JSON.parse(JSON.stringify(placeless(requestsOf(web.result))));
}

const IGNORED = 'Ignoring deprecated options:\n\ncontainer_name: not supported.\n\n';

describe('a stack compared with what the CLI did', () => {
  it('is equal', () => {
    const docker = { accepted: true, messages: IGNORED, requests: requests() };
    expect(judge(web, docker)).toEqual({ kind: 'equal', lines: [] });
    expect(requests().services[0].TaskTemplate.ContainerSpec.Mounts[0].Source).toBe('@DIR@/a');
  });

  it('is different, field by field', () => {
    const sent = requests();
    sent.services[0].TaskTemplate.ContainerSpec.Image = 'nginx:1';
    delete sent.services[0].EndpointSpec;
    expect(judge(web, { accepted: true, messages: '', requests: sent })).toEqual({
      kind: 'different',
      lines: [
        'services[s1_web].EndpointSpec: ours {}, docker nothing',
        'services[s1_web].TaskTemplate.ContainerSpec.Image: ours "nginx:latest", docker "nginx:1"',
      ],
    });
  });

  it('is different where the CLI warns about a key and we do not', () => {
    const messages = 'Ignoring unsupported options: links, restart\n\n';
    expect(judge(web, { accepted: true, messages, requests: requests() })).toEqual({
      kind: 'different',
      lines: ['warning: docker says that it ignores `links`, we do not'],
    });
  });

  it('is wrongly accepted', () => {
    const found = judge(web, { accepted: false, messages: 'first\nno such thing\n' });
    expect(found).toEqual({ kind: 'wrongly accepted', lines: ['docker: no such thing'] });
  });

  it('is wrongly refused, with the place', () => {
    const refused = ours('services:\n  web: {image: Nginx}\n');
    const found = judge(refused, { accepted: true, messages: '', requests: requests() });
    expect(found.kind).toBe('wrongly refused');
    expect(found.lines).toEqual([expect.stringMatching(/^p\/q\/1\.yml:2: image-reference: /)]);
    expect(judge(refused, { accepted: false, messages: '' }).kind).toBe('equal');
  });
});

it('reads both lists of ignored keys', () => {
  const messages =
    'level=warning msg="x"\nIgnoring unsupported options: build, links\n\nIgnoring deprecated options:\n\ncontainer_name: Setting it.\n\nexpose: Exposing.\n\nfailed: no\n';
  expect(ignoredByDocker(messages).slice(0, 4)).toEqual([
    'build',
    'links',
    'container_name',
    'expose',
  ]);
});

it.each([
  [{ a: [1, 2] }, { a: [1] }, ['a[1]: ours 2, docker nothing']],
  [{ a: null }, {}, ['a: ours null, docker nothing']],
  [{ a: 1 }, { a: 1 }, []],
])('tells where %j and %j differ', (one, other, lines) => {
  expect(differences(one, other)).toEqual(lines);
});

it('ends with the numbers', () => {
  const one = { id: '1', files: ['1.yml'] };
  const judged = [
    { ...one, verdict: { kind: 'equal', lines: [] } as const },
    { ...one, verdict: { kind: 'different', lines: ['a: b'] } as const },
  ];
  expect(report(judged)).toBe(
    '1.yml: different\n  a: b\n1 equal, 1 different, 0 wrongly accepted, 0 wrongly refused',
  );
  expect(isEqual(judged)).toBe(false);
  expect(isEqual(judged.slice(0, 1))).toBe(true);
});

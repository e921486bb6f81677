import { describe, expect, it } from 'vitest';

import type { ImageUse } from '../../agent/core/images-lock.ts';
import type { Contents } from '../fakes/repository.ts';
import { type Done, render, seal, told } from './sealed-support.ts';

const VALUE = 'canary-71f0';
const COMPOSE = 'stacks/blog/compose.yaml';
const STACK = 'stacks/blog/stack.yaml';
const ENVIRONMENT = 'environments/production.yaml';

const variables = { encrypted_regex: '^variables$' } as const;
const environment = { encrypted_regex: '^environment$' } as const;

const compose = (service: string): string => `services:\n  web:\n    image: nginx:1.29\n${service}`;
const withVariable = (value: string | number = VALUE): Contents =>
  seal(ENVIRONMENT, `kind: Environment\nname: production\nvariables: {PASSWORD: ${value}}\n`, variables); // prettier-ignore

function envOf({ units }: Done): readonly string[] | undefined {
  return units[0]?.spec.services['web']?.TaskTemplate.ContainerSpec.Env;
}

describe('an encrypted variable of an Environment', () => {
  it.each`
    where                    | service                                             | env
    ${'as a whole value'}    | ${"    environment: {A: '${PASSWORD}'}\n"}          | ${`A=${VALUE}`}
    ${'in the middle'}       | ${"    environment: {A: 'db://u:${PASSWORD}@h'}\n"} | ${`A=db://u:${VALUE}@h`}
    ${'in an item'}          | ${"    environment: ['A=x${PASSWORD:-none}']\n"}    | ${`A=x${VALUE}`}
    ${'where none is given'} | ${'    environment: {PASSWORD: }\n'}                | ${`PASSWORD=${VALUE}`}
    ${'for an empty item'}   | ${"    environment: ['PASSWORD']\n"}                | ${`PASSWORD=${VALUE}`}
  `('is hidden by the name that it ends in: $where', ({ service, env }) => {
    const done = render({ ...withVariable(), [COMPOSE]: compose(service) });
    expect(done.diagnostics).toEqual([]);
    expect(envOf(done)).toEqual([env]);
    const name = String(env).split('=')[0];
    expect(done.units[0]?.spec).toMatchObject({ hidden: { web: [name] } });
    expect(done.units[0]?.spec.veiled).toBeUndefined();
  });

  it('hides nothing where it is not used', () => {
    const done = render({ ...withVariable(), [COMPOSE]: compose('    environment: {A: b}\n') });
    expect(done.units[0]?.spec.hidden).toBeUndefined();
    expect(done.units[0]?.locked).toBeUndefined();
  });

  it('hides what an env_file takes from it', () => {
    const done = render({
      ...withVariable(),
      [COMPOSE]: compose('    env_file: a.env\n'),
      'stacks/blog/a.env': 'PASSWORD\nB=c\n',
    });
    expect(envOf(done)).toEqual(['B=c', `PASSWORD=${VALUE}`]);
    expect(done.units[0]?.spec.hidden).toEqual({ web: ['PASSWORD'] });
  });

  it('keeps its type as it was written', () => {
    const done = render({ ...withVariable(5432), [COMPOSE]: compose("    environment: {A: '${PASSWORD}'}\n") }); // prettier-ignore
    expect(envOf(done)).toEqual(['A=5432']);
  });

  it('hides all values of a stack in which it stands anywhere else', () => {
    const service = "    environment: {A: '${PASSWORD}'}\n    labels: {a: 'x-${PASSWORD}'}\n";
    const [unit] = render({ ...withVariable(), [COMPOSE]: compose(service) }).units;
    expect(unit?.spec).toMatchObject({ hidden: { web: ['A'] }, veiled: true });
  });
});

describe('an encrypted Compose file', () => {
  it('is opened where it stands, and hides variables by their names', () => {
    const service = `    environment: {A: ${VALUE}, B: 5, C: '007'}\n    labels: {a: b}\n`;
    const done = render(seal(COMPOSE, compose(service), environment));
    expect(done.diagnostics).toEqual([]);
    expect(envOf(done)).toEqual([`A=${VALUE}`, 'B=5', 'C=007']);
    expect(done.units[0]?.spec).toMatchObject({ hidden: { web: ['A', 'B', 'C'] } });
    expect(done.units[0]?.spec.veiled).toBeUndefined();
  });

  it('hides items of a list by the names in them', () => {
    const done = render(seal(COMPOSE, compose(`    environment: ['A=${VALUE}']\n`), environment));
    expect(envOf(done)).toEqual([`A=${VALUE}`]);
    expect(done.units[0]?.spec.hidden).toEqual({ web: ['A'] });
  });

  it('that is encrypted as a whole shows no value at all', () => {
    const done = render(seal(COMPOSE, compose('    command: [a, b]\n')));
    expect(done.diagnostics).toEqual([]);
    expect(done.units[0]?.spec).toMatchObject({ veiled: true, services: { web: { Name: 'blog_web' } } }); // prettier-ignore
  });

  it('asks for the same thing as the one in clear, but for what is hidden', () => {
    const text = compose('    environment: {A: "b c"}\n    stop_grace_period: 5s\n');
    const [clear] = render({ [COMPOSE]: text }).units;
    const [sealed] = render(seal(COMPOSE, text)).units;
    const { hidden: _hidden, veiled: _veiled, ...spec } = sealed?.spec ?? {};
    expect(spec).toEqual(clear?.spec);
  });

  it('is merged with files in clear', () => {
    const own = 'services: {web: {environment: {A: x, B: y}}}\n';
    const done = render({
      ...seal(COMPOSE, compose(`    environment: {A: ${VALUE}}\n`), environment),
      'stacks/blog/compose.production.yaml': own,
    });
    expect(envOf(done)).toEqual(['A=x', 'B=y']);
    expect(done.units[0]?.spec.hidden).toEqual({ web: ['A'] });
  });

  it('keeps the lines of the file in Git, and quotes them as they are there', () => {
    const text = `services:\n  web:\n    environment:\n      A: "${VALUE}\\nsecond\\nthird"\n    image: nginx\n    imagee: x\n`;
    const { diagnostics } = render(seal(COMPOSE, text, environment));
    expect(diagnostics).toMatchObject([
      { code: 'unknown-key', place: { line: 6, column: 5, quoted: '    imagee: x' } },
    ]);
  });
});

describe('an encrypted image', () => {
  const lock = { 'images.lock.yaml': 'version: 1\nimages: {}\n' };
  const imagesOf = (contents: Contents): readonly string[] => {
    const images: ImageUse[] = [];
    render({ ...contents, ...lock }, 'holder', { images });
    return images.map(({ image }) => image);
  };

  it('is told to nobody, so that no lock names it; others of its stack are', () => {
    const text = 'services: {web: {image: "secret:1"}, db: {image: "mysql:8"}}\n';
    const web = text.replace(', db: {image: "mysql:8"}', '');
    const db = { 'stacks/blog/compose.production.yaml': 'services: {db: {image: "mysql:8"}}\n' };
    expect(imagesOf({ [COMPOSE]: text })).toEqual(['secret:1', 'mysql:8']);
    expect(imagesOf({ ...seal(COMPOSE, web, { encrypted_regex: '^image$' }), ...db })).toEqual([
      'mysql:8',
    ]);
    const image = { ...withVariable('secret:1'), [COMPOSE]: compose('').replace('nginx:1.29', '${PASSWORD}') }; // prettier-ignore
    expect(imagesOf(image)).toEqual([]);
  });
});

describe('an encrypted stack.yaml', () => {
  const text = 'kind: Stack\nhealth: {timeout: 5m}\nremoval: hold\n';

  it('is opened, and nothing of its stack is shown', () => {
    const done = render(seal(STACK, text));
    expect(done.diagnostics).toEqual([]);
    expect(done.units[0]?.spec).toMatchObject({ veiled: true, removal: 'hold', health: { timeoutMs: 300_000 } }); // prettier-ignore
  });

  it.each`
    key            | more
    ${'dependsOn'} | ${'dependsOn: [stack/db]\n'}
    ${'files'}     | ${'files: [compose.yaml]\n'}
    ${'name'}      | ${'name: blog\n'}
    ${'movedFrom'} | ${'movedFrom: old\n'}
    ${'ignore'}    | ${'ignore: [services.web.image]\n'}
  `('cannot hide $key, which names something', ({ key, more }) => {
    const done = render(seal(STACK, `kind: Stack\n${more}`, { encrypted_regex: `^${key}$` }));
    expect(told(done)).toContain(`encrypted-document ${STACK}:2`);
    expect(done.units).toEqual([]);
  });

  it('cannot hide the name of a check', () => {
    const check =
      'kind: Stack\nhealth:\n  checks:\n    - {name: front, http: {url: "https://a.example"}}\n';
    expect(told(render(seal(STACK, check, { encrypted_regex: '^name$' })))).toContain(`encrypted-document ${STACK}:4`); // prettier-ignore
    expect(told(render(seal(STACK, check, { encrypted_regex: '^url$' })))).toEqual([]);
  });
});

describe('what has to be in clear', () => {
  it.each`
    what                    | text
    ${'a policy'}           | ${'policy: {allow: {plugins: true}}\n'}
    ${'windows'}            | ${'windows: [{cron: "0 2 * * *", duration: 1h, timeZone: UTC}]\n'}
    ${'a choice of stacks'} | ${'stacks: {include: [blog]}\n'}
    ${'defaults'}           | ${'defaults: {stack: {prune: false}}\n'}
  `('is $what of an Environment', ({ text }) => {
    const done = render(seal(ENVIRONMENT, `kind: Environment\nname: production\n${String(text)}`));
    expect(new Set(told(done))).toEqual(new Set([`encrypted-document ${ENVIRONMENT}:3`]));
    expect(done.units).toEqual([]);
  });

  it('is not what says which document it is', () => {
    const text = `kind: Environment\nname: production\nvariables: {PASSWORD: ${VALUE}}\n`;
    expect(render(seal(ENVIRONMENT, text)).diagnostics).toEqual([]);
    expect(render(seal(ENVIRONMENT, text), 'passer-by').diagnostics).toEqual([]);
  });

  it.each`
    what           | more
    ${'a network'} | ${'networks: {default: {name: secretnet}}\n'}
    ${'a volume'}  | ${'volumes: {data: {name: secretvol}}\n'}
  `('is the name of $what', ({ more }) => {
    const text = compose('    volumes: [data:/data]\n') + String(more);
    const done = render(seal(COMPOSE, text.includes('volumes: {') ? text : `${text}volumes: {data: }\n`, { encrypted_regex: '^name$' })); // prettier-ignore
    expect(told(done)[0]).toMatch(/^encrypted-document stacks\/blog\/compose.yaml/);
  });

  it('is the name of a variable in a list', () => {
    const plain = { ...withVariable(), [COMPOSE]: compose("    environment: ['${PASSWORD}=x']\n") };
    expect(told(render(plain))).toContain(`encrypted-document ${COMPOSE}:4`);
    const item = seal(COMPOSE, compose(`    environment: ['${VALUE}']\n`), environment);
    expect(told(render(item))).toContain(`encrypted-document ${COMPOSE}:4`);
  });

  it.each(['understudy.yaml', 'images.lock.yaml'])('is all of %s', (file) => {
    const text = file === 'understudy.yaml' ? 'version: 1\n' : 'images: {}\n';
    expect(told(render(seal(file, text)))).toEqual([`encrypted-document ${file}:1`]);
  });

  it('is a document that is encrypted as something else than YAML', () => {
    const binary = { [COMPOSE]: String(seal('a.bin', 'services: {}\n')['a.bin']) };
    expect(told(render(binary))).toEqual([`encrypted-document ${COMPOSE}:1`]);
  });
});

describe('an Environment of others', () => {
  it('may be encrypted for others: its own agents open it', () => {
    const text = `kind: Environment\nname: staging\nvariables: {PASSWORD: ${VALUE}}\n`;
    const staging = String(seal('environments/staging.yaml', text)['environments/staging.yaml']);
    const others = staging.replace('age1nobody', 'age1others');
    expect(told(render({ 'environments/staging.yaml': others }))).toEqual([]);
    const bare = others.replace(/"ENC\[[^\]]*type:str\]"\}/, 'hunter2}');
    expect(told(render({ 'environments/staging.yaml': bare }))).toEqual([
      'not-encrypted environments/staging.yaml:3',
    ]);
  });
});

describe('a document that cannot be opened', () => {
  const text = `services:\n  web:\n    image: nginx\n    environment:\n      A: ${VALUE}\n      B: other\n`;
  const sealed = String(seal(COMPOSE, text, environment)[COMPOSE]);
  const [one = '', other = ''] = sealed.match(/ENC\[[^\]]*type:str\]/g) ?? [];
  const swapped = sealed.replace(one, '?').replace(other, one).replace('?', other);

  it.each`
    why                        | content                                          | code
    ${'values are swapped'}    | ${swapped}                                       | ${'encryption-damaged'}
    ${'a value is damaged'}    | ${sealed.replace(/data:...../, 'data:AAAA')}     | ${'encryption-damaged'}
    ${'a value is in clear'}   | ${sealed.replace(one, 'hunter2')}                | ${'not-encrypted'}
    ${'another value changed'} | ${sealed.replace('image: nginx', 'image: evil')} | ${'encryption-damaged'}
    ${'it is for others'}      | ${sealed.replace('age1nobody', 'age1others')}    | ${'encrypted-for-others'}
    ${'its metadata is gone'}  | ${sealed.slice(0, sealed.indexOf('sops:'))}      | ${'encryption-damaged'}
  `('is a mistake, and nothing is applied: $why', ({ content, code }) => {
    const done = render({ [COMPOSE]: content });
    expect(done.units).toEqual([]);
    expect(done.diagnostics.map((one) => one.code)).toContain(code);
    expect(done.diagnostics.every(({ place }) => place?.file === COMPOSE)).toBe(true);
    expect(JSON.stringify(done.diagnostics)).not.toMatch(/hunter2|canary/);
  });

  it('names the line of each value that was moved', () => {
    expect(told(render({ [COMPOSE]: swapped }))).toEqual([
      `encryption-damaged ${COMPOSE}:5`,
      `encryption-damaged ${COMPOSE}:6`,
    ]);
  });

  it('is a mistake for an agent without a key', () => {
    expect(told(render({ [COMPOSE]: sealed }, 'nobody'))).toEqual([`missing-age-key ${COMPOSE}:1`]);
  });

  it('whose data key is not for us is told as for other files', () => {
    expect(told(render({ [COMPOSE]: sealed }, 'holder', { key: 'not-for-us' }))).toEqual([
      `encrypted-for-others ${COMPOSE}:1`,
    ]);
  });

  it('holds one document, as any', () => {
    const two = seal(COMPOSE, `${text}---\n${text}`, environment);
    expect(told(render(two))).toContain(`conflict ${COMPOSE}:8`);
  });
});

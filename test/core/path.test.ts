import { describe, expect, it } from 'vitest';

import { looksSecret, maskLine, pathText } from '../../agent/core/path.ts';

describe('a quoted line', () => {
  it.each([
    ['password: hunter2', 'password: [secret]'],
    ['url: https://ann:hunter2@host/x', 'url: https://ann:[secret]'],
    ['url: https://host:8443/x', 'url: https://host:8443/x'],
    ['image: registry:5000/a@sha256:00', 'image: registry:5000/a@sha256:00'],
    ['url: ssh://git@host:22/x', 'url: ssh://git@host:22/x'],
    ['password: {generate: true}', 'password: {generate: true}'],
  ])('%s is shown as %s', (line, shown) => expect(maskLine(line)).toBe(shown));

  it('takes no longer for a long line of colons', () => {
    const line = `a://${':'.repeat(100_000)}`;
    expect(maskLine(line)).toBe(line);
  });
});

describe('a path', () => {
  it.each([
    [['services', 'web', 'ports', 0], 'services.web.ports[0]'],
    [['labels', 'a.b'], 'labels["a.b"]'],
  ])('%j is written %s', (path, text) => expect(pathText(path)).toBe(text));

  it.each(['db_password', 'SMTP_PASS', 'MYSQL_PWD', 'SECRET', 'AWS_CREDENTIALS', 'DB_SECRETS'])(
    'may name a secret: %s',
    (name) => expect(looksSecret(name)).toBe(true),
  );

  it.each(['image', 'COMPASS', 'secrets', 'PASS_THROUGH'])('may name none: %s', (name) =>
    expect(looksSecret(name)).toBe(false),
  );
});

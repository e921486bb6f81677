import { describe, expect, it } from 'vitest';

import { isFrom, parseVersion } from '../../../agent/providers/mysql/server.ts';
import { mariadb118, mysql97 } from './servers.ts';

describe('what a server says it is', () => {
  it.each([
    ['9.7.4', 'mysql', [9, 7, 4]],
    ['8.0.36-28', 'mysql', [8, 0, 36]],
    ['8.0.21', 'mysql', [8, 0, 21]],
    ['10.11.19-MariaDB-deb12-log', 'mariadb', [10, 11, 19]],
    ['5.5.5-11.8.6-MariaDB-log', 'mariadb', [11, 8, 6]],
  ])('%s', (text, flavor, version) => {
    expect(parseVersion(text)).toEqual({ flavor, version });
  });

  it.each([
    ['8.0.20', 'the server is MySQL 8.0.20, older than MySQL 8.0.21'],
    ['5.7.44-log', 'the server is MySQL 5.7.44, older than MySQL 8.0.21'],
    ['10.6.21-MariaDB', 'the server is MariaDB 10.6.21, older than MariaDB 10.11.0'],
    ['', 'the server does not say which version it is'],
    ['8.0', 'the server does not say which version it is'],
    ['x8.0.21', 'the server does not say which version it is'],
  ])('%j is not understood', (text, reason) => {
    expect(parseVersion(text)).toEqual({ reason });
  });
});

it('knows from when a server has something, in its own family alone', () => {
  expect(isFrom(mysql97, 'mysql', 9, 7, 4)).toBe(true);
  expect(isFrom(mysql97, 'mysql', 9, 7, 5)).toBe(false);
  expect(isFrom(mysql97, 'mysql', 8, 9, 9)).toBe(true);
  expect(isFrom(mariadb118, 'mysql', 8, 0, 0)).toBe(false);
  expect(isFrom(mariadb118, 'mariadb', 11, 3, 0)).toBe(true);
});

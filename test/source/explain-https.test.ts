import { expect, it } from 'vitest';
import { GitFailure } from '../../agent/source/command.ts';
import { explain } from '../../agent/source/explain.ts';

const url = 'https://git.example.org/infra.git';
const subject = { url, branch: 'main' };
const token = { ...subject, login: 'repository.https.tokenFile' };
const password = { ...subject, login: 'repository.https.passwordFile' };

const at = (text: string): string => `fatal: unable to access '${url}/': ${text}\n`;
const code = (number: number): string => at(`The requested URL returned error: ${number}`);

// Texts of git 2.39 with curl 7.88 and GnuTLS as they came; those of OpenSSL from curl's own source.
it.each([
  [
    '401, token',
    token,
    `fatal: Authentication failed for '${url}/'\n`,
    'does not accept the token of `repository.https.tokenFile`',
    'never',
  ],
  [
    '401, password',
    password,
    `fatal: Authentication failed for '${url}/'\n`,
    'does not accept the user name and password of `repository.https.passwordFile`',
    'never',
  ],
  [
    '401, nobody',
    subject,
    "fatal: could not read Username for 'https://git.example.org': terminal prompts disabled\n",
    'asks for a login: write `repository.https.tokenFile`',
    'never',
  ],
  [
    '401, no answer of the helper',
    token,
    "fatal: could not read Username for 'https://git.example.org': terminal prompts disabled\n",
    'git got none from the file of `repository.https.tokenFile`',
    'never',
  ],
  [
    '403',
    token,
    `remote: Write access to repository not granted.\n${code(403)}`,
    'the login of `repository.https.tokenFile` may not read this repository',
    'never',
  ],
  [
    '403 of GitHub',
    token,
    `remote: Permission to a/b.git denied to c.\n${code(403)}`,
    'may not read this repository',
    'never',
  ],
  ['403, nobody', subject, code(403), 'so write `repository.https.tokenFile`', 'never'],
  [
    '404',
    token,
    `fatal: repository '${url}/' not found\n`,
    'or the login of `repository.https.tokenFile` may not read it',
    'never',
  ],
  [
    '404 of GitHub',
    token,
    `remote: Repository not found.\nfatal: repository '${url}/' not found\n`,
    'hosts answer the same for both',
    'never',
  ],
  [
    '404, nobody',
    subject,
    `fatal: repository '${url}/' not found\n`,
    'or not everybody may read it',
    'never',
  ],
  [
    'redirect',
    token,
    code(301),
    'redirects are not followed, so write its present address',
    'never',
  ],
  ['temporary redirect', token, code(307), 'redirects are not followed', 'never'],
  ['too often', token, code(429), 'was asked too often', 'soon'],
  ['503', token, code(503), 'an error of its own', 'soon'],
  [
    '502 in the middle',
    token,
    'error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502\nfatal: the remote end hung up unexpectedly\n',
    'an error of its own',
    'soon',
  ],
  [
    'files only',
    token,
    'fatal: dumb http transport does not support shallow capabilities\n',
    'is no Git server',
    'never',
  ],
  [
    'a web page',
    token,
    `fatal: ${url}/info/refs not valid: is this a git repository?\n`,
    'is no Git server',
    'never',
  ],
  [
    'a web page that lies',
    token,
    'fatal: protocol error: bad line length character: <htm\n',
    'is no Git server',
    'never',
  ],
  [
    'unknown authority or expired',
    token,
    at('server certificate verification failed. CAfile: none CRLfile: none'),
    'is not trusted: an authority signed it that is not known here',
    'never',
  ],
  [
    'unknown authority (OpenSSL)',
    token,
    at('SSL certificate problem: unable to get local issuer certificate'),
    '`repository.https.caFile`',
    'never',
  ],
  [
    'expired (OpenSSL)',
    token,
    at('SSL certificate problem: certificate has expired'),
    'has expired',
    'never',
  ],
  [
    'wrong host',
    token,
    at("SSL: certificate subject name (x) does not match target host name 'git.example.org'"),
    'is for another host name',
    'never',
  ],
  [
    'wrong host (OpenSSL)',
    token,
    at("SSL: no alternative certificate subject name matches target host name 'git.example.org'"),
    'is for another host name',
    'never',
  ],
  [
    'no authorities',
    token,
    at('Problem with the SSL CA cert (path? access rights?)'),
    '`repository.https.caFile` cannot be used',
    'never',
  ],
  [
    'old TLS',
    token,
    at('gnutls_handshake() failed: Error in protocol version'),
    'no TLS 1.2',
    'never',
  ],
  [
    'no TLS',
    token,
    at('gnutls_handshake() failed: An unexpected TLS packet was received.'),
    'is the port right?',
    'never',
  ],
  [
    'refused',
    token,
    at("Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server"),
    'cannot be reached',
    'soon',
  ],
  ['no DNS', token, at('Could not resolve host: git.example.org'), 'unknown to DNS', 'soon'],
  [
    'silent',
    token,
    at('Operation too slow. Less than 1 bytes/sec transferred the last 60 seconds'),
    'went silent',
    'soon',
  ],
  [
    'cut',
    token,
    at('GnuTLS recv error (-110): The TLS connection was non-properly terminated.'),
    'ended in the middle',
    'soon',
  ],
  [
    'cut in the pack',
    token,
    'error: RPC failed; curl 18 transfer closed with outstanding read data remaining\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output\n',
    'ended in the middle',
    'soon',
  ],
  [
    'no https',
    token,
    "git: 'remote-https' is not a git command. See 'git --help'.\n",
    'cannot speak https',
    'never',
  ],
  [
    'disk full, as with any other',
    token,
    'fatal: write error: No space left on device\n',
    'no space left',
    'soon',
  ],
] as const)('%s', (_what, about, stderr, words, retry) => {
  const failure = new GitFailure(
    'exit',
    { args: ['fetch'], timeoutMs: 1 },
    { exitCode: 128, stderr },
  );
  const { error, mirrorSuspect } = explain(failure, about);
  expect(error.message).toContain(words);
  expect(error.message).not.toContain('ssh');
  expect([error.retry, mirrorSuspect]).toEqual([retry, false]);
});

it('what only web servers say means nothing over ssh', () => {
  const failure = new GitFailure(
    'exit',
    { args: ['fetch'], timeoutMs: 1 },
    { exitCode: 128, stderr: code(403) },
  );
  const { error } = explain(failure, { url: 'git@host:infra', branch: 'main' });
  expect(error.message).toContain('git could not read');
});

import type { Known, Subject } from './explain.ts';

// What git says of libcurl with GnuTLS (Debian) and with OpenSSL (most others), and of the usual hosts; the first that fits
// counts, and what ssh and https have in common stands in explain.ts. test/source/explain-https.test.ts has the texts.
export const KNOWN_HTTPS: readonly Known[] = [
  {
    pattern: /Authentication failed for|returned error: 401/u,
    retry: 'never',
    words: (subject) =>
      `${subject.url} does not accept ${loginOf(subject)}: it may have expired or been revoked; put the new one into the file, it is read each time`,
  },
  {
    pattern: /could not read (?:Username|Password) for/u,
    retry: 'never',
    words: ({ url, login }) =>
      login === undefined
        ? `${url} asks for a login: write \`repository.https.tokenFile\`, or \`username\` and \`passwordFile\`; hosts also ask where there is no such repository`
        : `${url} asks for a login, and git got none from the file of \`${login}\``,
  },
  {
    pattern: /returned error: 403/u,
    retry: 'never',
    words: ({ url, login }) =>
      login === undefined
        ? `${url} refuses (403): the repository is not public, so write \`repository.https.tokenFile\``
        : `${url} refuses (403): the login of \`${login}\` may not read this repository; a token needs the right to read its contents, and where the host has single sign-on, its consent`,
  },
  {
    pattern: /repository '.*' not found|returned error: 404|[Rr]epository not found/u,
    retry: 'never',
    words: ({ url, login }) =>
      login === undefined
        ? `there is no repository at ${url}, or not everybody may read it (hosts answer the same for both): then write \`repository.https.tokenFile\``
        : `there is no repository at ${url}, or the login of \`${login}\` may not read it (hosts answer the same for both)`,
  },
  {
    pattern: /returned error: 30\d|unable to update url base from redirection/u,
    retry: 'never',
    words: ({ url }) =>
      `${url} answers that the repository is elsewhere: redirects are not followed, so write its present address as \`repository.url\``,
  },
  {
    pattern: /returned error: 429/u,
    retry: 'soon',
    words: ({ url }) => `${url} was asked too often (429); a larger \`interval\` helps`,
  },
  {
    pattern: /returned error: 5\d\d|RPC failed; HTTP 5\d\d/u,
    retry: 'soon',
    words: ({ url }) => `the server of ${url} failed: it answers with an error of its own (5xx)`,
  },
  {
    pattern: /dumb http transport does not support/u,
    retry: 'never',
    words: ({ url }) =>
      `${url} shows a repository's files and is no Git server: nothing that comes from there could be checked`,
  },
  {
    pattern:
      /info\/refs not valid|invalid server response|bad line length character|unexpected (?:content|response)|expected '?(?:service|version|flush)|not a valid (?:http|response)/iu,
    retry: 'never',
    words: ({ url }) =>
      `what answers at ${url} is no Git server (a web page, perhaps of a proxy or a login form): is \`repository.url\` right?`,
  },
  {
    pattern:
      /CA cert \(path|error setting certificate|error reading ca cert|error adding trust anchors/iu,
    retry: 'never',
    words: () =>
      '`repository.https.caFile` cannot be used: it must hold certificates in PEM form (`-----BEGIN CERTIFICATE-----`)',
  },
  {
    pattern: /does not match target host name|no alternative certificate subject name matches/u,
    retry: 'never',
    words: ({ url }) =>
      `the certificate of ${url} is for another host name: write the name that it has, or give the server one for this name`,
  },
  {
    pattern: /certificate has expired|certificate expired|expiration date has passed/iu,
    retry: 'never',
    words: ({ url }) =>
      `the certificate of ${url} has expired: renew it at the server (or the clock of this machine is wrong)`,
  },
  {
    // GnuTLS says the same of both.
    pattern: /server certificate verification failed/u,
    retry: 'never',
    words: ({ url }) =>
      `the certificate of ${url} is not trusted: an authority signed it that is not known here (give its certificate as \`repository.https.caFile\`), or it has expired, or the clock of this machine is wrong`,
  },
  {
    pattern:
      /SSL certificate problem|unable to get local issuer|self[- ]signed certificate|certificate verif/iu,
    retry: 'never',
    words: ({ url }) =>
      `the certificate of ${url} is signed by an authority that is not known here: give its certificate as \`repository.https.caFile\``,
  },
  {
    pattern: /protocol version|unsupported protocol|wrong version number|unexpected TLS packet/iu,
    retry: 'never',
    words: ({ url }) => `the server of ${url} speaks no TLS 1.2 or later there: is the port right?`,
  },
  {
    pattern: /Could not resolve host/u,
    retry: 'soon',
    words: ({ url }) => `the host of ${url} is unknown to DNS`,
  },
  {
    pattern: /Failed to connect to|Couldn't connect|Could not connect|SSL connection timeout/u,
    retry: 'soon',
    words: ({ url }) => `the host of ${url} cannot be reached; proxies are not used`,
  },
  {
    pattern: /Operation too slow|Operation timed out/u,
    retry: 'soon',
    words: ({ url }) => `${url} went silent in the middle`,
  },
  {
    pattern:
      /gnutls_handshake|GnuTLS recv error|SSL_ERROR_SYSCALL|SSL_connect|SSL_read|TLS connect error|Recv failure|Empty reply|transfer closed|RPC failed|curl \d+/u,
    retry: 'soon',
    words: ({ url }) => `the connection to ${url} ended in the middle`,
  },
  {
    pattern: /remote-https' is not a git command|find remote helper for 'https'/u,
    retry: 'never',
    words: () =>
      'the git of this machine cannot speak https (`git-remote-https` is missing): install the full git package',
  },
];

function loginOf({ login }: Subject): string {
  const what = login?.endsWith('tokenFile') === true ? 'the token' : 'the user name and password';
  return login === undefined ? 'a reader without a login' : `${what} of \`${login}\``;
}

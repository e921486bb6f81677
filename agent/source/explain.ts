import { SourceError } from '../reconcile/ports.ts';
import type { GitFailure } from './command.ts';
import { KNOWN_HTTPS } from './explain-https.ts';
import { printable } from './intake.ts';

/** What a failure of git means. */
export interface Explanation {
  readonly error: SourceError;
  /** The cause is not known to lie elsewhere, so the mirror may be damaged. */
  readonly mirrorSuspect: boolean;
}

/** What the words are about. */
export interface Subject {
  readonly url: string;
  readonly branch: string;
  /** Over https: where the login comes from; absent where there is none. */
  readonly login?: string;
}

/** One thing that git says. */
export interface Known {
  readonly pattern: RegExp;
  readonly retry: 'soon' | 'never';
  readonly words: (subject: Subject) => string;
}

// The first that fits counts. What git, ssh and the usual hosts say, in the C locale; test/source/explain.test.ts has the texts.
const KNOWN: readonly Known[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED/u,
    retry: 'never',
    words: ({ url }) =>
      `the host key of ${url} is not the one in \`repository.ssh.knownHostsFile\`: either the server has a new key ` +
      'or somebody else answers in its place; compare the key before you replace it',
  },
  {
    pattern: /Host key verification failed|host key is known for/u,
    retry: 'never',
    words: ({ url }) =>
      `the host key of ${url} is not in \`repository.ssh.knownHostsFile\`: add the line that the server's operator publishes`,
  },
  {
    pattern:
      /incorrect passphrase|UNPROTECTED PRIVATE KEY|bad permissions|Load key .*(?:invalid format|libcrypto|Permission denied|No such file)/u,
    retry: 'never',
    words: () =>
      'ssh cannot use `repository.ssh.keyFile`: it must be a private key without a passphrase, readable by the agent alone',
  },
  {
    pattern: /Permission denied \(|Too many authentication failures|Permission to .* denied/u,
    retry: 'never',
    words: ({ url }) =>
      `${url} does not accept the key of \`repository.ssh.keyFile\`: add its public half to the repository as a deploy key, read-only; a key with a passphrase cannot be used`,
  },
  {
    pattern: /Could not resolve hostname|Name or service not known/u,
    retry: 'soon',
    words: ({ url }) => `the host of ${url} is unknown to DNS`,
  },
  {
    pattern:
      /Connection (?:refused|timed out|reset|closed)|No route to host|Network is unreachable|banner exchange|kex_exchange_identification|Operation timed out|Timeout, server .* not responding|Broken pipe/u,
    retry: 'soon',
    words: ({ url }) => `the host of ${url} cannot be reached`,
  },
  {
    pattern: /No space left on device|Disk quota exceeded/u,
    retry: 'soon',
    words: () => 'there is no space left in `stateDir`',
  },
  {
    pattern:
      /Cannot allocate memory|out of memory|Too many open files|unable to create thread|Resource temporarily unavailable/iu,
    retry: 'soon',
    words: () => 'git ran out of memory, processes or files on this machine',
  },
  {
    pattern: /couldn't find remote ref/u,
    retry: 'never',
    words: ({ url, branch }) => `${url} has no branch \`${branch}\``,
  },
  {
    pattern:
      /does not appear to be a git repository|[Rr]epository not found|[Rr]epository .* does not exist|project you were looking for could not be found|Cannot find repository/u,
    retry: 'never',
    words: ({ url }) =>
      `there is no repository at ${url}, or the key may not read it (hosts answer the same for both)`,
  },
  {
    pattern: /dubious ownership/u,
    retry: 'never',
    words: ({ url }) =>
      `the repository at ${url} belongs to another user of this machine; git refuses to read it`,
  },
  {
    pattern: /fsck error|fatal: Object corrupt or missing|error: object [0-9a-f]+: \w+:/u,
    retry: 'never',
    words: ({ url }) => `${url} holds an object that git's own check refuses`,
  },
  {
    pattern: /possible repository corruption on the remote side/u,
    retry: 'never',
    words: ({ url }) =>
      `the server of ${url} cannot read its own repository: an object is missing or corrupt there (\`git fsck\` there names it)`,
  },
  {
    pattern: /mismatched algorithms|unknown object format|unsupported object format/u,
    retry: 'never',
    words: ({ url }) => `${url} uses SHA-256 object names, which this version cannot follow`,
  },
  {
    pattern: /transport '.*' not allowed/u,
    retry: 'never',
    words: ({ url }) => `${url} leads to a transport that is not allowed`,
  },
  {
    pattern: /failed to execute git|spawn git ENOENT|setsid: not found|git: not found/u,
    retry: 'never',
    words: () => 'git, or `setsid` of util-linux, is not installed',
  },
  {
    pattern: /cannot run ssh|ssh: not found/u,
    retry: 'never',
    words: () => 'ssh is not installed',
  },
  {
    // After all that is more exact: git adds this sentence to every failure of ssh.
    pattern:
      /Could not read from remote repository|hung up unexpectedly|early EOF|unexpected disconnect/u,
    retry: 'soon',
    words: ({ url }) => `the connection to ${url} ended in the middle`,
  },
];

/** Pure. What a failed git process means to an operator. */
export function explain(failure: GitFailure, subject: Subject): Explanation {
  const { reason, stderr: text } = failure;
  if (reason === 'deadline') {
    const seconds = Math.round(failure.timeoutMs / 1000);
    return certain(failure, 'soon', `${subject.url} was not read within ${seconds} s`);
  }
  if (reason === 'output') {
    return certain(
      failure,
      'soon',
      `${subject.url} answered with more text than any repository needs`,
    );
  }
  if (reason === 'unkillable') {
    return certain(
      failure,
      'soon',
      'a git process cannot be ended: is the disk of `stateDir` well?',
    );
  }
  const all = subject.url.startsWith('https:') ? [...KNOWN_HTTPS, ...KNOWN] : KNOWN;
  const known = all.find(({ pattern }) => pattern.test(text));
  if (known !== undefined) {
    const detail = known.pattern.source.includes('fsck') ? `: ${lastWords(text)}` : '';
    return certain(failure, known.retry, `${known.words(subject)}${detail}`);
  }
  const message = `git could not read ${subject.url} (exit code ${failure.exitCode}): ${lastWords(text)}`;
  return {
    error: new SourceError(message, { retry: 'soon', cause: failure }),
    mirrorSuspect: true,
  };
}

function certain(failure: GitFailure, retry: 'soon' | 'never', message: string): Explanation {
  return { error: new SourceError(message, { retry, cause: failure }), mirrorSuspect: false };
}

/** The last line that says something: git ends with advice. */
function lastWords(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  const telling = lines.filter((line) => /^(?:fatal|error|remote|ssh)\b/u.test(line));
  return printable(telling.at(-1) ?? lines.findLast((line) => line !== '') ?? 'it said nothing');
}

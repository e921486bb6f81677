import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tools } from '../../agent/rehearsal/packages.ts';

/** A certificate and its key, as files in PEM form. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

/** An authority of a test's own. */
export interface Authority {
  readonly caFile: string;
  /** Signs a certificate for these names (`DNS:host`, `IP:address`); `days` below zero: expired. */
  sign(name: string, names: readonly string[], days?: number): Certificate;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Makes an authority in this folder with openssl of the unpacked packages. */
export function makeAuthority(folder: string, name: string, tools: Tools): Authority {
  const conf = join(folder, 'openssl.cnf');
  writeFileSync(
    conf,
    '[req]\ndistinguished_name = dn\n[dn]\n[ca]\nbasicConstraints = critical, CA:true\n',
  );
  const openssl = (...args: readonly string[]): void => {
    execFileSync(tools.path('openssl'), [...args], {
      env: { ...tools.env, OPENSSL_CONF: conf },
      stdio: 'pipe',
    });
  };
  const file = (of: string, kind: string): string => join(folder, `${of}.${kind}`);
  const subject = (of: string): readonly string[] => ['-subj', `/CN=${of}`, '-config', conf];
  const [caFile, caKey] = [file(name, 'pem'), file(name, 'key')];
  const self = ['-x509', '-days', '2', '-extensions', 'ca', '-keyout', caKey, '-out', caFile];
  openssl('req', ...NEW_KEY, ...self, ...subject(name));
  return {
    caFile,
    sign: (of, names, days = 2) => {
      const [certFile, keyFile] = [file(of, 'pem'), file(of, 'key')];
      openssl('req', ...NEW_KEY, '-keyout', keyFile, '-out', file(of, 'csr'), ...subject(of));
      writeFileSync(file(of, 'ext'), `subjectAltName=${names.join(',')}\n`);
      const by = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', String(days)];
      const whose = ['-in', file(of, 'csr'), '-extfile', file(of, 'ext'), '-out', certFile];
      openssl('x509', '-req', ...whose, ...by);
      return { certFile, keyFile };
    },
  };
}

import { describe, expect, it } from 'vitest';

import { endInWords } from '../../../../agent/providers/stack/explain/ended.ts';
import { service, task } from '../../../fakes/stack.ts';

const plain = service('web');
const limited = {
  ...plain,
  TaskTemplate: { ...plain.TaskTemplate, Resources: { Limits: { MemoryBytes: 300 * 2 ** 20 } } },
};

describe('what the end of a task means', () => {
  // Texts of engine 20.10.24 where they could be brought about, else of its source.
  it.each<[string, string]>([
    [
      'invalid mount config for type "bind": bind source path does not exist: /no/such/dir',
      'the folder `/no/such/dir` is not on that node',
    ],
    [
      'node is missing network attachments, ip addresses may be exhausted',
      'the subnet of one of its networks has no address left',
    ],
    [
      'starting container failed: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/no/such": stat /no/such: no such file or directory: unknown',
      'the image has no command `/no/such`',
    ],
    [
      'starting container failed: OCI runtime create failed: exec: "/run.sh": permission denied: unknown',
      'the command `/run.sh` in the image may not be executed',
    ],
    [
      'starting container failed: driver failed programming external connectivity on endpoint x: Bind for 0.0.0.0:8080 failed: port is already allocated',
      'a host port is taken on that node by something that is no service',
    ],
    [
      'starting container failed: subnet sandbox join failed for "10.0.1.0/24": error creating vxlan interface: file exists',
      'that node still has an old network of the same range',
    ],
    ['network blog_default not found', 'that node does not know the network'],
    [
      'starting container failed: unable to get secret from secret store: secret abc not found',
      'a secret that it names was removed',
    ],
    ['create vol: error looking up volume plugin rbd: plugin not found', 'is its driver'],
    ['write /var/lib/docker: no space left on device', 'the disk of that node is full'],
    ['exec user process caused: exec format error', 'another kind of processor'],
  ])('%s', (error, expected) => {
    const rejected = task('a', { state: 'rejected', error, exitCode: 0 });
    expect(endInWords(rejected, plain)).toContain(expected);
  });

  it.each<[number, string]>([
    [126, 'cannot be executed'],
    [127, 'was not found'],
    [139, 'SIGSEGV'],
    [143, 'SIGTERM'],
  ])('exit code %i', (exitCode, expected) => {
    const error = `task: non-zero exit (${String(exitCode)})`;
    expect(endInWords(task('a', { error, exitCode }), plain)).toContain(expected);
  });

  it('tells a lack of memory from a failed healthcheck and from a plain kill', () => {
    const killed = { error: 'task: non-zero exit (137)', exitCode: 137 };
    expect(endInWords(task('a', killed), limited)).toBe(
      'it was killed: probably out of memory, its limit is 300 MiB',
    );
    expect(endInWords(task('a', killed), plain)).toContain('SIGKILL');
    const unhealthy = { ...killed, error: `${killed.error}: dockerexec: unhealthy container` };
    expect(endInWords(task('a', unhealthy), limited)).toBeUndefined();
  });

  it.each([0, 1, 3])('says no more of exit code %i', (exitCode) => {
    expect(endInWords(task('a', { exitCode }), plain)).toBeUndefined();
  });
});

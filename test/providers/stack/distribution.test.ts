import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Reply } from '../../../agent/providers/stack/classify.ts';
import { distributionPath, imageFound } from '../../../agent/providers/stack/distribution.ts';

function said(status: number, message: string): Reply {
  return { kind: 'answer', status, text: `${JSON.stringify({ message })}\n` };
}

const v2 = 'Get "https://10.0.0.2:5000/v2/": ';
const manifest = 'Head "http://10.0.0.2:5000/v2/x/manifests/1": ';

describe('imageFound', () => {
  // Every text of 20.10.24, for registries that were made to answer so.
  it.each`
    status | message                                                                                                                                 | found        | why
    ${404} | ${'manifest unknown: manifest unknown'}                                                                                                 | ${'missing'} | ${'manifest unknown'}
    ${404} | ${'name unknown: repository name not known to registry'}                                                                                | ${'missing'} | ${'name unknown: repository name not known to registry'}
    ${400} | ${'invalid reference format'}                                                                                                           | ${'missing'} | ${'invalid reference format'}
    ${400} | ${'invalid reference format: repository name must be lowercase'}                                                                        | ${'missing'} | ${'invalid reference format: repository name must be lowercase'}
    ${500} | ${"error parsing HTTP 404 response body: invalid character 'o' in literal null (expecting 'u'): \"nothing\""}                           | ${'missing'} | ${/^error parsing HTTP 404/}
    ${500} | ${`${v2}dial tcp: lookup nosuch.example on 10.0.0.53:53: no such host`}                                                                 | ${'missing'} | ${'dial tcp: lookup nosuch.example on 10.0.0.53:53: no such host'}
    ${401} | ${'unauthorized'}                                                                                                                       | ${'denied'}  | ${'unauthorized'}
    ${403} | ${'denied'}                                                                                                                             | ${'denied'}  | ${'denied'}
    ${500} | ${`${manifest}no basic auth credentials`}                                                                                               | ${'denied'}  | ${'no basic auth credentials'}
    ${500} | ${`${manifest}unauthorized`}                                                                                                            | ${'denied'}  | ${'unauthorized'}
    ${500} | ${'error parsing HTTP 403 response body: invalid character \'<\' looking for beginning of value: "<html>403</html>"'}                   | ${'denied'}  | ${/^error parsing HTTP 403/}
    ${500} | ${`${v2}dial tcp 10.0.0.2:5000: connect: connection refused`}                                                                           | ${'open'}    | ${'dial tcp 10.0.0.2:5000: connect: connection refused'}
    ${500} | ${`${v2}dial tcp 10.0.0.2:5000: connect: no route to host`}                                                                             | ${'open'}    | ${/no route to host$/}
    ${500} | ${`${v2}dial tcp: lookup a.example on 10.0.0.53:53: dial udp 10.0.0.53:53: connect: network is unreachable`}                            | ${'open'}    | ${/network is unreachable$/}
    ${500} | ${`${v2}dial tcp: lookup a.example on 10.0.0.53:53: server misbehaving`}                                                                | ${'open'}    | ${/server misbehaving$/}
    ${500} | ${`${v2}dial tcp: lookup a.example on 10.0.0.53:53: read udp 10.0.0.1:55680->10.0.0.53:53: i/o timeout`}                                | ${'open'}    | ${/timeout$/}
    ${500} | ${`${v2}net/http: request canceled (Client.Timeout exceeded while awaiting headers)`}                                                   | ${'open'}    | ${/^net\/http: request canceled/}
    ${500} | ${`${v2}net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`}                      | ${'open'}    | ${/^net\/http: request canceled/}
    ${500} | ${`${v2}http: server gave HTTP response to HTTPS client`}                                                                               | ${'open'}    | ${'http: server gave HTTP response to HTTPS client'}
    ${500} | ${`${v2}x509: certificate signed by unknown authority`}                                                                                 | ${'open'}    | ${'x509: certificate signed by unknown authority'}
    ${500} | ${`${v2}read tcp 127.0.0.1:56906->127.0.0.1:6098: read: connection reset by peer`}                                                      | ${'open'}    | ${/reset by peer$/}
    ${500} | ${`${v2}net/http: HTTP/1.x transport connection broken: malformed HTTP response "garbage"`}                                             | ${'open'}    | ${/malformed HTTP response/}
    ${500} | ${'received unexpected HTTP status: 500 Internal Server Error'}                                                                         | ${'open'}    | ${/^received unexpected/}
    ${500} | ${'received unexpected HTTP status: 502 Bad Gateway'}                                                                                   | ${'open'}    | ${/^received unexpected/}
    ${500} | ${'received unexpected HTTP status: 503 Service Unavailable'}                                                                           | ${'open'}    | ${/^received unexpected/}
    ${500} | ${'received unexpected HTTP status: 504 Gateway Timeout'}                                                                               | ${'open'}    | ${/^received unexpected/}
    ${500} | ${'error parsing HTTP 429 response body: invalid character \'<\' looking for beginning of value: "<html>429</html>"'}                   | ${'open'}    | ${/^error parsing HTTP 429/}
    ${500} | ${"error unmarshalling content: invalid character '<' looking for beginning of value"}                                                  | ${'open'}    | ${/^error unmarshalling/}
    ${429} | ${'toomanyrequests: pull rate limit'}                                                                                                   | ${'open'}    | ${'toomanyrequests: pull rate limit'}
    ${503} | ${'unavailable'}                                                                                                                        | ${'open'}    | ${'unavailable'}
    ${500} | ${`${manifest}Get "http://127.0.0.1:1/token?scope=repository%3Ax%3Apull&service=x": dial tcp 127.0.0.1:1: connect: connection refused`} | ${'open'}    | ${'dial tcp 127.0.0.1:1: connect: connection refused'}
    ${500} | ${`${manifest}received unexpected HTTP status: 503 Service Unavailable`}                                                                | ${'open'}    | ${/^received unexpected/}
  `('$status $message: $found', ({ status, message, found, why }) => {
    expect(imageFound(said(status, message))).toEqual({
      status: 'ok',
      value: { found, why: expect.stringMatching(why) },
    });
  });

  it('judges by the end of a long text, and says it', () => {
    const long = `Get "https://10.0.0.2/token?scope=${'x'.repeat(2_000)}": no basic auth credentials`;
    expect(imageFound(said(500, long))).toEqual({
      status: 'ok',
      value: { found: 'denied', why: 'no basic auth credentials' },
    });
  });

  it('does not take the name of an image for what is said of it', () => {
    const dead = 'dial tcp 10.0.0.2:443: connect: connection refused';
    const named = `Get "https://registry.denied.example/v2/manifest unknown/": ${dead}`;
    expect(imageFound(said(500, named))).toMatchObject({ value: { found: 'open', why: dead } });
  });

  it('finds an image by its digest', () => {
    const text = '{"Descriptor":{"mediaType":"m","digest":"sha256:00","size":1},"Platforms":null}';
    expect(imageFound({ kind: 'answer', status: 200, text })).toEqual({
      status: 'ok',
      value: { found: 'there', why: '' },
    });
  });

  it.each<[string, Reply, object]>([
    ['no answer', { kind: 'failed', how: 'deadline' }, { status: 'unknown', cause: 'unreachable' }],
    [
      'half an answer',
      { kind: 'failed', how: 'truncated' },
      { status: 'unknown', cause: 'unreachable' },
    ],
    ['no digest', { kind: 'answer', status: 200, text: '{}' }, { status: 'unknown' }],
    ['HTML', { kind: 'answer', status: 200, text: '<html>' }, { status: 'unknown' }],
    ['a redirect', { kind: 'answer', status: 301, text: '' }, { status: 'unknown' }],
    ['no such call', said(404, 'page not found'), { status: 'refused', retry: 'never' }],
    [
      'another version',
      said(400, 'client version 1.41 is too old. Minimum supported API version is 1.44'),
      { status: 'refused', retry: 'never' },
    ],
  ])('%s says nothing about the image', (_what, reply, expected) =>
    expect(imageFound(reply)).toMatchObject(expected),
  );
});

describe('distributionPath', () => {
  it.each([
    ['site', '/distribution/site/json'],
    ['10.0.0.2:5000/a/b-c:1', '/distribution/10.0.0.2%3A5000%2Fa%2Fb-c%3A1/json'],
    ['[::1]:5000/site:1', '/distribution/%5B%3A%3A1%5D%3A5000%2Fsite%3A1/json'],
    [`site:1@sha256:${'a'.repeat(64)}`, `/distribution/site%3A1%40sha256%3A${'a'.repeat(64)}/json`],
  ])('of %s is %s', (image, path) => expect(distributionPath(image)).toBe(path));

  it('never leaves its place, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (image) => {
        const path = distributionPath(image);
        expect(path ?? '/distribution/x/json').toMatch(/^\/distribution\/[\w.%-]+\/json$/);
        expect(path ?? '').not.toContain('..');
      }),
    );
  });
});

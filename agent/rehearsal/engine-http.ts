import { request } from 'node:http';
import { textAt } from './json.ts';
import { StageError } from './run.ts';

/** An engine's answer: its status and its body, parsed where it is JSON. */
export interface EngineAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** What is asked of an engine. */
interface EngineCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

/**
 * One call of the Engine API over a Unix socket. Throws `StageError` when there is no whole answer within the deadline
 * (milliseconds).
 */
export async function callEngine(
  socket: string,
  call: EngineCall,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<EngineAnswer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  const text = call.body === undefined ? undefined : JSON.stringify(call.body);
  try {
    return await new Promise<EngineAnswer>((resolve, reject) => {
      const sent = request(
        {
          socketPath: socket,
          method: call.method,
          path: call.path,
          signal: limit,
          agent: false,
          headers: {
            host: 'docker',
            ...(text === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
          },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('close', () => {
            if (!answer.complete) reject(new Error('the answer was cut'));
            else
              resolve({
                status: answer.statusCode ?? 0,
                body: parsed(Buffer.concat(chunks).toString('utf8')),
              });
          });
        },
      );
      sent.on('error', reject);
      sent.end(text);
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new StageError(
      `${call.method} ${call.path}: ${cause instanceof Error ? cause.message : 'failed'}`,
      { cause },
    );
  }
}

/** Like `callEngine`, and throws `StageError` with the engine's message on any status of 300 or more. */
export async function expectEngine(
  socket: string,
  call: EngineCall,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<unknown> {
  const { status, body } = await callEngine(socket, call, deadlineMs, signal);
  if (status < 300) return body;
  throw new StageError(
    `${call.method} ${call.path} was answered with ${status}: ${textAt(body, 'message') ?? 'no message'}`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

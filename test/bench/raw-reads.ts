import { Agent, request } from 'node:http';

/** The lists that a pass reads, as it asks for them. */
const LISTS = [
  '/services',
  '/networks',
  '/configs',
  '/secrets',
  '/nodes',
  '/tasks',
  `/tasks?filters=${encodeURIComponent(JSON.stringify({ '_up-to-date': ['true'] }))}`,
] as const;

const DEADLINE_MS = 60_000;

/** The same reads as a pass makes, side by side, with their JSON parsed and nothing else done. Gives milliseconds. */
export async function rawReads(socket: string, signal: AbortSignal): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  try {
    const beganMs = performance.now();
    await Promise.all(LISTS.map((path) => get({ agent, socket, path }, signal)));
    return performance.now() - beganMs;
  } finally {
    agent.destroy();
  }
}

async function get(
  {
    agent,
    socket,
    path,
  }: { readonly agent: Agent; readonly socket: string; readonly path: string },
  signal: AbortSignal,
): Promise<unknown> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
  return new Promise((resolve, reject) => {
    const options = { agent, socketPath: socket, path: `/v1.41${path}`, signal: limit };
    const sent = request({ ...options, headers: { host: 'docker' } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(JSON.parse(Buffer.concat(chunks).toString()));
        else reject(new Error(`GET ${path} was answered with ${String(answer.statusCode)}`));
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

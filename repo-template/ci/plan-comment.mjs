// Keeps one comment with the plan on a pull or merge request: `node ci/plan-comment.mjs github|gitlab FILE`.
// Forgejo and Gitea speak as GitHub does. Needs Node alone; what it works on comes from the workflow's environment.
import { readFile } from 'node:fs/promises';

const [platform = '', file = ''] = process.argv.slice(2);
const env = (name) => process.env[name] ?? '';

const platforms = {
  github: () => {
    const issues = `${env('GITHUB_API_URL')}/repos/${env('GITHUB_REPOSITORY')}/issues`;
    return {
      list: `${issues}/${env('NUMBER')}/comments`,
      one: (id) => `${issues}/comments/${id}`,
      update: 'PATCH',
      token: env('TOKEN'),
      headers: { authorization: `Bearer ${env('TOKEN')}` },
    };
  },
  gitlab: () => {
    const project = `${env('CI_API_V4_URL')}/projects/${env('CI_PROJECT_ID')}`;
    const list = `${project}/merge_requests/${env('CI_MERGE_REQUEST_IID')}/notes`;
    const token = env('UNDERSTUDY_COMMENT_TOKEN');
    return {
      list,
      one: (id) => `${list}/${id}`,
      update: 'PUT',
      token,
      headers: { 'private-token': token },
    };
  },
};

async function call(where, method, url, body) {
  const response = await fetch(url, {
    method,
    // The token is for this address alone.
    redirect: 'error',
    headers: { ...where.headers, accept: 'application/json', 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify({ body }) }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  return { ok: response.ok, status: response.status, text };
}

/** Comments that begin as a plan does, the oldest first. At most 50 pages are looked at. */
async function earlier(where, marker) {
  const found = new Map();
  for (let page = 1; page <= 50; page += 1) {
    const answer = await call(where, 'GET', `${where.list}?per_page=100&page=${page}`);
    if (!answer.ok) throw new Error(`the comments cannot be read: HTTP status ${answer.status}`);
    const comments = JSON.parse(answer.text);
    const known = found.size;
    for (const { id, body } of comments) found.set(id, body);
    // A server that knows no pages gives the same ones again.
    if (comments.length < 100 || found.size === known) break;
  }
  return [...found].filter(([, body]) => String(body).startsWith(marker)).map(([id]) => id);
}

const where = platforms[platform]?.();
if (where === undefined || file === '') {
  process.stderr.write('usage: node ci/plan-comment.mjs github|gitlab FILE\n');
  process.exit(2);
}
if (where.token === '') {
  process.stdout.write('there is no token, so there is no comment\n');
  process.exit(0);
}
const plan = await readFile(file, 'utf8');
const [marker = ''] = plan.split('\n');
for (const id of await earlier(where, marker)) {
  // Somebody else may have written one that begins so: that one may not be changed, and is left alone.
  const answer = await call(where, where.update, where.one(id), plan);
  if (answer.ok) {
    process.stdout.write(`comment ${id} is up to date\n`);
    process.exit(0);
  }
}
const made = await call(where, 'POST', where.list, plan);
if (!made.ok) throw new Error(`the comment cannot be written: HTTP status ${made.status}`);
process.stdout.write('the comment is written\n');

#!/usr/bin/env node
// Plain JavaScript on purpose: an older Node cannot even read the program, so this file says so in one sentence.
const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  process.stderr.write(`understudy needs Node 24 or newer, this is ${process.versions.node}\n`);
  process.exit(2);
}
const { agentFlags, allocatorEnvironment } = await import('./flags.mjs');
// They count from the start only. The same process goes on with them, so that signals and supervisors find it; whoever gave
// flags wants those.
if (process.argv[2] === 'agent' && process.execArgv.length === 0 && process.execve !== undefined) {
  const words = [process.execPath, ...agentFlags, import.meta.filename, ...process.argv.slice(2)];
  process.execve(process.execPath, words, { ...allocatorEnvironment, ...process.env });
}
// Most of a start is reading and compiling. Beside the packages, not in a temporary folder: whoever may write there may
// put a program into our hands. Where it cannot be written, nothing is kept.
const { enableCompileCache, flushCompileCache } = await import('node:module');
enableCompileCache(`${import.meta.dirname}/../node_modules/.cache/understudy`);
// An agent that is killed would leave nothing for the next one, which is in a hurry.
setTimeout(flushCompileCache, 10_000).unref();
await import('./unused.mjs');
await import('./main.ts');

#!/usr/bin/env node
// Plain JavaScript on purpose: an older Node cannot even read the program, so this file says so in one sentence.
const [major] = process.versions.node.split('.');
if (Number(major) < 24) {
  process.stderr.write(`understudy needs Node 24 or newer, this is ${process.versions.node}\n`);
  process.exit(2);
}
await import('./main.ts');

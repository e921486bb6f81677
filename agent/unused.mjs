// Packages of ours load these and call them for nothing that we do: builds over gRPC, Docker over SSH, errors of schemas in
// forty languages. They are a quarter of the memory that the program takes, and of the time that it takes to start. What
// is left of them is an empty module, so that whoever begins to need one sees it at the first call.
import { registerHooks } from 'node:module';

const unused = new Map([
  ['dockerode', ['@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs']],
  ['docker-modem', ['ssh2']],
  ['zod', ['../locales/index.js']],
]);
// These hand the languages on and use none: English comes by another way. Should others of zod begin to ask for them, or ask under
// another name, they get them all.
const handsOn = /\/v4\/(?:classic|mini)\/external\.js$|\/v4\/core\/index\.js$/;
const url = new URL('nothing.cjs', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL = '' } = context;
    const [, owner = ''] = /\/node_modules\/([^/]+)\/(?!.*\/node_modules\/)/.exec(parentURL) ?? [];
    const isUnused = unused.get(owner)?.includes(specifier) === true;
    if (!isUnused || (owner === 'zod' && !handsOn.test(parentURL))) return next(specifier, context);
    return { url, format: 'commonjs', shortCircuit: true };
  },
  load(asked, context, next) {
    if (asked !== url) return next(asked, context);
    return { format: 'commonjs', source: '', shortCircuit: true };
  },
});

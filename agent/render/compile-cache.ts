import { lstatSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Beside the packages, and not where the agent keeps its own: what the renderer may write is read by renderers only. */
const FOLDER = fileURLToPath(
  new URL('../../node_modules/.cache/understudy-renderer', import.meta.url),
);
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Where renderers keep their compiled program: half of a start is reading and compiling it. Undefined where we are not
 * root, or others may write there: a renderer that read something hostile could leave its successors another program.
 * Under root it cannot, because it has given up root by then.
 */
export function compileCache(folder: string = FOLDER): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    const { uid, mode } = lstatSync(folder);
    const isOurs = uid === 0 && (mode & WRITABLE_BY_OTHERS) === 0;
    return isOurs ? folder : undefined;
  } catch {
    // A file system that cannot be written: every start compiles.
    return undefined;
  }
}

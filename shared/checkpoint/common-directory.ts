import { dirname, sep } from 'node:path';

/**
 * The deepest directory that holds all files of `paths` (absolute, links resolved): where onnxruntime, which refuses
 * links and paths that leave its folder, finds them all. Empty if there is none: no paths, or two drives.
 */
export function commonDirectory(paths: readonly string[]): string {
  const [first = [], ...others] = paths.map((path) => dirname(path).split(sep));
  let depth = first.length;
  for (const parts of others) {
    const differs = first.findIndex((part, i) => part !== parts[i]);
    if (differs !== -1) depth = Math.min(depth, differs);
  }
  const common = first.slice(0, depth).join(sep);
  // What is left of '/' is one empty part.
  return depth > 0 && common === '' ? sep : common;
}

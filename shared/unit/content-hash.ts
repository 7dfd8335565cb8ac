import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

/**
 * SHA-256 of a plain value, 64 hex digits. `format` names what the value is and in which version, so that two kinds
 * never share a name.
 */
export function contentHash(format: string, value: unknown): string {
  return createHash('sha256')
    .update(`lethe ${format}\n${canonicalJson(value)}`)
    .digest('hex');
}

import { z } from 'zod';
import { readRegularFile } from '../checkpoint/regular-file.ts';
import { LetheError } from '../error/lethe-error.ts';
import { isLoopback } from './loopback.ts';

/** A chain of certificates has a few KB, a bundle of every public authority 250. */
const pemLimit = 2 ** 20;

/** How a connection is secured. Plain text is for one machine: it is asked for by name and bound to loopback. */
export type Security =
  | { readonly kind: 'plain-text-loopback' }
  /** PEM. The role of a peer (worker, operator) is in its certificate, signed by `authority`. */
  | { readonly kind: 'mutual-tls'; readonly authority: Buffer; readonly certificate: Buffer; readonly key: Buffer };

/** The settings that say so, for the schema of every process of a fleet. */
export const securitySettings = {
  /** `true`: plain text, which loopback alone allows. */
  insecure: z.stringbool().default(false),
  /** Files of PEM. */
  'tls-authority': z.string().optional(),
  'tls-certificate': z.string().optional(),
  'tls-key': z.string().optional(),
};

/**
 * Reads the files that settings name.
 *
 * @throws LetheError `usage` unless either --insecure or all three TLS files are given, and for files that cannot be read.
 */
export async function securityOf(settings: z.output<z.ZodObject<typeof securitySettings>>): Promise<Security> {
  const { insecure, 'tls-authority': authority, 'tls-certificate': certificate, 'tls-key': key } = settings;
  if (insecure) return { kind: 'plain-text-loopback' };
  if (authority === undefined || certificate === undefined || key === undefined)
    throw new LetheError('usage', {
      what: 'cannot secure the connections of this process',
      why: 'neither certificates nor plain text are asked for',
      next: 'give --tls-authority, --tls-certificate and --tls-key, or --insecure true on loopback',
    });
  return {
    kind: 'mutual-tls',
    authority: await readPem('--tls-authority', authority),
    certificate: await readPem('--tls-certificate', certificate),
    key: await readPem('--tls-key', key),
  };
}

async function readPem(setting: string, path: string): Promise<Buffer> {
  const bytes = await readRegularFile(
    path,
    pemLimit,
    (why, cause) =>
      new LetheError('usage', {
        what: `cannot read the file of ${setting}`,
        where: path,
        why,
        next: 'give the path of a PEM file that this process may read',
        cause,
      }),
  );
  return Buffer.from(bytes);
}

/**
 * @param address `host:port`, or a host alone
 * @param next what whoever gave the address can do instead
 * @throws LetheError `usage` for an address that plain text must not be spoken on.
 */
export function requireAllowed(security: Security, address: string, next: string): void {
  if (security.kind === 'mutual-tls' || isLoopback(address)) return;
  throw new LetheError('usage', {
    what: 'cannot use plain text',
    where: address,
    why: 'it is not an address of this machine alone (127.0.0.1, ::1 or localhost)',
    next,
  });
}

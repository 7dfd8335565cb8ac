import { LetheError } from '../error/lethe-error.ts';

/** How a connection is secured. Plain text is for one machine: it is asked for by name and bound to loopback. */
export type Security =
  | { readonly kind: 'plain-text-loopback' }
  /** PEM. The role of a peer (worker, operator) is in its certificate, signed by `authority`. */
  | { readonly kind: 'mutual-tls'; readonly authority: Buffer; readonly certificate: Buffer; readonly key: Buffer };

/** @throws LetheError `usage` for an address `host:port` that plain text must not be spoken on. */
export function requireAllowed(security: Security, address: string): void {
  const host = address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (security.kind === 'mutual-tls' || host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host))
    return;
  throw new LetheError('usage', {
    what: 'cannot use plain text',
    where: address,
    why: 'it is not an address of this machine alone (127.0.0.1, ::1 or localhost)',
    next: 'give certificates for mutual TLS, or use a loopback address',
  });
}

/** Whether an address (`host:port`, or a host alone) is of this machine alone. */
export function isLoopback(address: string): boolean {
  // The colons of a bare IPv6 address begin no port.
  const host = address.replace(/^([^:]*|\[.*\]):\d+$/, '$1').replace(/^\[(.*)\]$/, '$1');
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

import { LetheError } from '../error/lethe-error.ts';
import { isLoopback } from './loopback.ts';
import { channelOptions } from './protocol.ts';

/** Variables that send gRPC through a proxy, the first that is set; as @grpc/grpc-js reads them. */
const proxyVariables = ['grpc_proxy', 'https_proxy', 'http_proxy'] as const;

/** Channel options of a client. What is on this machine is never reached through a proxy, whatever the environment says. */
export function clientOptions(address: string): Readonly<Record<string, number>> {
  return isLoopback(address) ? { ...channelOptions, 'grpc.enable_http_proxy': 0 } : channelOptions;
}

/** What a lost connection says where the environment names a proxy: that variable too. Otherwise the cause as it is. */
export function namingProxy(address: string, cause: unknown, environment: NodeJS.ProcessEnv): unknown {
  const name = isLoopback(address) ? undefined : proxyVariables.find((each) => (environment[each] ?? '') !== '');
  if (name === undefined) return cause;
  // Not its value: proxies have passwords.
  return new LetheError('fleet-lost', {
    what: 'cannot reach the coordinator',
    where: address,
    why: `${cause instanceof Error ? cause.message : String(cause)}; the environment variable ${name} names a proxy for it`,
    next: `if the proxy does not let it through, add ${address.replace(/:\d+$/, '')} to no_proxy, or unset ${name}`,
    cause,
  });
}

/** Version of proto/fleet that this release speaks; a change that the release before does not understand raises it. */
export const protocolVersion = 1;

/** Versions a coordinator accepts: its own and the one before, so that a fleet can be upgraded while it works. */
export function isAccepted(version: number): boolean {
  return version >= 1 && (version === protocolVersion || version === protocolVersion - 1);
}

/** Bytes of a blob in one message: small enough that a lease or a progress message never waits long behind one. */
export const chunkBytes = 256 * 1024;

/** Bytes of a message. The largest are leases (a batch's prompts), hellos and campaigns. */
export const maxMessageBytes = 1024 * 1024;

/** Bytes of one task's blobs together: what a coordinator is ready to hold of a result, or a worker of a lease. */
export const maxTaskBytes = 1024 * 1024 * 1024;

/**
 * Channel options of both sides: bounded messages, and pings that find a peer that is gone (a machine that lost power
 * says nothing) within 15 seconds.
 */
export const channelOptions: Readonly<Record<string, number>> = {
  'grpc.max_receive_message_length': maxMessageBytes,
  'grpc.max_send_message_length': maxMessageBytes,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
};

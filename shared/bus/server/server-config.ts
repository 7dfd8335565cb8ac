/** Settings of a local server. */
export interface ServerSettings {
  /** Folder for streams, log and the file that names the ports. */
  readonly folder: string;
  /** -1 lets the system choose. */
  readonly port: number;
  readonly token: string;
  /** Tells this server from others that may answer at its old address. */
  readonly name: string;
}

export const portsFolder = 'ports';
export const logFile = 'nats-server.log';

/**
 * The configuration of a server for one machine: loopback only, every write synced before it is confirmed. JSON is
 * valid in NATS' own format, and quotes what a path may hold.
 */
export function serverConfig({ folder, port, token, name }: ServerSettings): string {
  return JSON.stringify(
    {
      listen: `127.0.0.1:${port}`,
      server_name: name,
      authorization: { token },
      jetstream: { store_dir: `${folder}/jetstream`, sync_interval: 'always' },
      ports_file_dir: `${folder}/${portsFolder}`,
      log_file: `${folder}/${logFile}`,
      logfile_size_limit: 2 ** 24,
      logfile_max_num: 3,
      // Clients that are away longer than two pings are dropped, and their pull requests with them.
      ping_interval: '5s',
      ping_max: 2,
    },
    null,
    2,
  );
}

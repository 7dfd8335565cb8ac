import { LetheError } from '../../shared/error/lethe-error.ts';
import { findNatsServer } from '../../shared/bus/server/find-nats-server.ts';
import { runNatsServer, type RunningServer } from '../../shared/bus/server/run-nats-server.ts';

/** A nats-server that is started again, on its port and folder, when it ends. */
export interface KeptNats {
  /** `host:port`. */
  readonly server: string;
  /** That clients show. */
  readonly token: string;
  /** Rejects if it cannot be started again. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** @throws as `findNatsServer` and `runNatsServer` */
export async function keepNats(
  folder: string,
  environment: NodeJS.ProcessEnv,
  tell: (text: string) => void,
): Promise<KeptNats> {
  const binary = await findNatsServer(environment, tell);
  let running = await runNatsServer(binary, folder);
  const { port } = running;
  const { servers, credentials } = running.address('fleet');
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  let stopping = false;
  let starting: Promise<unknown> = Promise.resolve();
  const keep = async (server: RunningServer): Promise<void> => {
    const error = await server.ended;
    if (error === undefined || stopping) return;
    tell(`nats-server ended: ${error.why}; it is started again`);
    const again = runNatsServer(binary, folder, port);
    starting = again.catch(() => undefined);
    running = await again;
    void keep(running).catch(fail);
  };
  void keep(running).catch(fail);
  const stop = async (): Promise<void> => {
    stopping = true;
    // One that is being started again is waited for: it would outlive the fleet, and write to a folder that is removed.
    await starting;
    await running.stop();
  };
  const [server] = servers;
  if (server === undefined || credentials?.kind !== 'token')
    throw new LetheError('nats-server-failed', {
      what: 'cannot use nats-server',
      where: folder,
      why: 'the launcher does not know how to reach it',
      next: 'this is a defect of Lethe: please report it',
    });
  return { server, token: credentials.token, failed, stop };
}

import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { routePath } from 'hono/route';
import type { Registry } from 'prom-client';
import { errorResponse } from './api-error.ts';
import { type ImagesApi, imagesApi, internal, stopping } from './images-api.ts';
import { noSuchRoute } from './no-such-route.ts';

/** What is told of an answered request: never what was asked for. */
export interface AnsweredRequest {
  readonly id: string;
  readonly method: string;
  /** As declared, `*` for one that nothing answers to. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  /** Of the manifest, where images were made. */
  readonly version: string | undefined;
}

export interface HttpApp extends ImagesApi {
  readonly registry: Registry;
  readonly isStopping: () => boolean;
  readonly answered: (request: AnsweredRequest) => void;
}

/** Routes that are asked every few seconds, and are not worth a line in the log each. */
const probes: readonly string[] = ['/health', '/ready', '/metrics'];

/**
 * Everything that is answered: `/v1`, and what a scheduler and Prometheus ask. `/health` is 200 while the process lives;
 * `/ready` is 503 with the reason where a request for images would be refused.
 */
export function httpApp(parts: HttpApp): Hono {
  const { registry, isStopping, answered, unready } = parts;
  const app = new Hono();
  app.use(async (context, next) => {
    const started = performance.now();
    const id = randomUUID();
    await next();
    context.header('x-request-id', id);
    // What is still being answered is the last on its connection.
    if (isStopping()) context.header('connection', 'close');
    const route = routePath(context, -1);
    if (probes.includes(route)) return;
    answered({
      id,
      method: context.req.method,
      route,
      status: context.res.status,
      seconds: Math.round(performance.now() - started) / 1000,
      version: context.res.headers.get('lethe-manifest-version') ?? undefined,
    });
  });
  app.get('/health', (context) => context.text('ok\n'));
  app.get('/ready', (context) => {
    const why = isStopping() ? 'it is stopping' : unready();
    return why === undefined ? context.text('ready\n') : context.text(`not ready: ${why}\n`, 503);
  });
  app.get('/metrics', async (context) => {
    return context.body(await registry.metrics(), 200, { 'content-type': registry.contentType });
  });
  app.use('/v1/*', async (_, next) => (isStopping() ? errorResponse(stopping) : next()));
  app.route('/v1', imagesApi(parts));
  app.notFound((context) => errorResponse(noSuchRoute(app.routes, context.req.path)));
  app.onError((error) => {
    parts.failed(error);
    return errorResponse(internal);
  });
  return app;
}

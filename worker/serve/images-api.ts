import { type Context, Hono } from 'hono';
import type { Access } from './access.ts';
import { type ApiError, errorResponse, unavailable } from './api-error.ts';
import { type ImageAsk, parseImageRequest, type ServedModel } from './image-request.ts';
import { jsonBody } from './json-body.ts';
import type { MadeImages } from './make-images.ts';
import type { RequestQueue } from './request-queue.ts';

/** What the API stands on. */
export interface ImagesApi {
  readonly model: ServedModel;
  readonly queue: Pick<RequestQueue<ImageAsk, MadeImages>, 'submit'>;
  readonly access: Access;
  /** Milliseconds a request may take. */
  readonly deadlineMs: number;
  /** Why nothing can be served yet; undefined: it can. */
  readonly unready: () => string | undefined;
  /** When the model was loaded, seconds since 1970. */
  readonly since: number;
  /** Told of every request for images that was refused by a fault of this process. */
  readonly failed: (error: unknown) => void;
}

/** Seconds until a process that is not ready is worth asking again: about what its first manifest takes. */
const readySoon = 2;

/** `/v1` in the shape of the OpenAI API. Prompts are in no log, metric or error. */
export function imagesApi({ model, queue, access, deadlineMs, unready, since, failed }: ImagesApi): Hono {
  const api = new Hono();
  const card = { id: model.name, object: 'model', created: since, owned_by: 'lethe' } as const;
  api.use(async (context, next) => {
    if (access(context.req.header('authorization'))) return next();
    const message = 'Give a valid key: Authorization: Bearer KEY.';
    return errorResponse({ status: 401, code: 'invalid_api_key', message, param: null });
  });
  api.get('/models', (context) => context.json({ object: 'list', data: [card] }));
  api.get('/models/:id', (context) =>
    context.req.param('id') === model.name ? context.json(card) : errorResponse(notFound('There is no such model.')),
  );
  api.post('/images/generations', async (context) => {
    const why = unready();
    if (why !== undefined) return errorResponse(notReady(why));
    const body = await jsonBody(context.req.raw);
    if (body.kind === 'refused') return errorResponse(body.error);
    const parsed = parseImageRequest(body.value, model);
    if (parsed.kind === 'refused') return errorResponse(parsed.error);
    const outcome = await queue.submit(parsed.ask, deadlineMs, context.req.raw.signal);
    switch (outcome.kind) {
      case 'done':
        return answer(context, parsed.ask, outcome.result, model);
      case 'full':
        return errorResponse({
          status: 429,
          code: 'rate_limit_exceeded',
          message: `Too many requests wait. Ask again in ${outcome.retryAfter} seconds.`,
          param: null,
          retryAfter: outcome.retryAfter,
        });
      case 'stopping':
        return errorResponse(stopping);
      case 'late':
        return errorResponse({
          status: 504,
          code: 'deadline_exceeded',
          message: `It was not done within ${deadlineMs / 1000} seconds.`,
          param: null,
        });
      case 'gone':
        // Nobody reads it.
        return new Response(null, { status: 499 });
      case 'failed':
        failed(outcome.error);
        return errorResponse(internal);
    }
  });
  return api;
}

/** Refuses what comes while the process ends. */
export const stopping: ApiError = {
  ...unavailable('stopping', 'This server is stopping: ask another one.', 1),
  close: true,
};

export const internal: ApiError = {
  status: 500,
  code: 'internal_error',
  message: 'The server failed; its log says why.',
  param: null,
};

export function notFound(message: string): ApiError {
  return { status: 404, code: 'not_found', message, param: null };
}

function notReady(why: string): ApiError {
  return unavailable(
    'not_ready',
    `No valid masks are known here yet, and nothing is served without: ${why}.`,
    readySoon,
  );
}

function answer(context: Context, { seeds, size }: ImageAsk, made: MadeImages, model: ServedModel): Response {
  context.header('lethe-manifest-version', String(made.version));
  return context.json({
    created: Math.floor(Date.now() / 1000),
    data: made.images.map((image, i) => ({
      b64_json: Buffer.from(image.buffer, image.byteOffset, image.length).toString('base64'),
      seed: Number(seeds[i]),
    })),
    output_format: 'png',
    size: `${size.width}x${size.height}`,
    lethe: {
      manifest_version: made.version,
      manifest_digest: made.digest,
      checkpoint: model.checkpoint,
      ...(made.truncated !== undefined && { truncated: made.truncated }),
    },
  });
}

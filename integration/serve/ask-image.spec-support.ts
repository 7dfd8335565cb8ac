import OpenAI from 'openai';
import type { Serving } from './serve-stage.ts';

export interface Asked {
  readonly prompt: string;
  readonly seed: number;
}
export interface Answer extends Asked {
  readonly version: number;
  /** PNG, base64. */
  readonly image: string;
}

export const clientOf = ({ url }: Serving): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0, timeout: 60_000 });

/** One image. @throws APIError for every answer but 200 */
export async function ask(client: OpenAI, { prompt, seed }: Asked): Promise<Answer> {
  // `seed` is this API's own: the client passes on what it does not know.
  const body = { model: 'emoji-sd', prompt, seed, n: 1 } as OpenAI.ImageGenerateParamsNonStreaming;
  const { data, response } = await client.images.generate(body).withResponse();
  const image = data.data?.[0]?.b64_json;
  if (image === undefined) throw new Error('there is no image');
  return { prompt, seed, version: Number(response.headers.get('lethe-manifest-version')), image };
}

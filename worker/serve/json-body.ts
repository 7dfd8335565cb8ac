import { type ApiError, badRequest } from './api-error.ts';

/** What came with a request, or why it is not read. */
export type JsonBody =
  { readonly kind: 'body'; readonly value: unknown } | { readonly kind: 'refused'; readonly error: ApiError };

/** Bytes of a body: the longest prompt in its longest form. */
const largestBody = 256 * 1024;
/** Bytes of a body that is too large which are still read: a client that is still sending reads no answer. */
const largestRefused = 16 * largestBody;
/** What else than UTF-8 a body may say that it is. */
const charsets: readonly string[] = ['utf-8', 'utf8', 'us-ascii'];

/**
 * The body of a request: JSON in UTF-8 as it is, of a bounded size. A page of another site can send what is not JSON; it
 * cannot send this type without being asked for leave first.
 */
export async function jsonBody({ headers, body }: Request): Promise<JsonBody> {
  const refused = (error: ApiError): JsonBody => ({ kind: 'refused', error });
  const type = headers.get('content-type') ?? '';
  if (!/^application\/json\s*(?:;|$)/i.test(type))
    return refused(unsupported('The body has to be JSON: content-type: application/json.'));
  const charset = /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  if (!charsets.includes(charset)) return refused(unsupported('The body has to be in UTF-8.'));
  const coding = headers.get('content-encoding')?.trim().toLowerCase() ?? '';
  if (coding !== '' && coding !== 'identity')
    return refused(unsupported('The body has to come as it is: leave out content-encoding.'));
  let text: string | undefined;
  try {
    const bytes = await bytesOf(body);
    if (bytes === undefined) return refused(tooLarge);
    text = utf8Of(bytes);
  } catch {
    return refused(badRequest('invalid_json', 'The body did not come whole.'));
  }
  if (text === undefined) return refused(badRequest('invalid_encoding', 'The body is not UTF-8.'));
  try {
    return { kind: 'body', value: JSON.parse(text) as unknown };
  } catch {
    return refused(badRequest('invalid_json', 'The body is not valid JSON.'));
  }
}

const tooLarge: ApiError = {
  status: 413,
  code: 'request_too_large',
  message: `The body has more than ${largestBody} bytes.`,
  param: null,
  close: true,
};

function unsupported(message: string): ApiError {
  return { status: 415, code: 'unsupported_media_type', message, param: null };
}

function utf8Of(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Read by parts, for a body need not say how long it is; hono's own limit cannot read such a one here. Undefined: too large. */
async function bytesOf(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  // Not cancelled where it is given up: that would cut the connection before the answer.
  const reader = body?.getReader();
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    size += part.value.length;
    if (size <= largestBody) parts.push(part.value);
    else if (size > largestRefused) break;
  }
  return size > largestBody ? undefined : Buffer.concat(parts);
}

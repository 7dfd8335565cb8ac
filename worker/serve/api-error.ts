/** An error as the OpenAI API answers it: clients show `message`, and decide by status and `code`. */
export interface ApiError {
  readonly status: 400 | 401 | 404 | 405 | 413 | 415 | 421 | 429 | 500 | 503 | 504;
  readonly message: string;
  /** The parameter at fault. */
  readonly param: string | null;
  /** Stable; scripts match on it. */
  readonly code: string;
  /** Seconds after which the same request may be made again. */
  readonly retryAfter?: number;
  /** Methods that this path does take. */
  readonly allow?: readonly string[];
  /** Ask elsewhere: this connection is closed. */
  readonly close?: boolean;
}

/** A request that cannot be served as it is. */
export function badRequest(code: string, message: string, param: string | null = null): ApiError {
  return { status: 400, code, message, param };
}

/** The request is fine, and cannot be served here and now. */
export function unavailable(code: string, message: string, retryAfter: number): ApiError {
  return { status: 503, code, message, param: null, retryAfter };
}

const types: Readonly<Partial<Record<ApiError['status'], string>>> = {
  429: 'rate_limit_error',
  500: 'server_error',
  503: 'server_error',
  504: 'server_error',
};

export function errorResponse({ status, message, param, code, retryAfter, close, allow }: ApiError): Response {
  const error = { message, type: types[status] ?? 'invalid_request_error', param, code };
  const headers = new Headers();
  if (retryAfter !== undefined) headers.set('retry-after', String(retryAfter));
  if (allow !== undefined) headers.set('allow', allow.join(', '));
  if (close === true) headers.set('connection', 'close');
  if (status === 401) headers.set('www-authenticate', 'Bearer');
  return Response.json({ error }, { status, headers });
}

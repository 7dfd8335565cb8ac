import type { ApiError } from './api-error.ts';
import { notFound } from './images-api.ts';

/** A method and a path as they are declared; `ALL` stands for what every request goes through. */
export interface DeclaredRoute {
  readonly method: string;
  readonly path: string;
}

/**
 * What is answered where no route takes a request: 405 with the methods that its path takes, else 404 with the routes.
 *
 * @param path of the request, without its query
 */
export function noSuchRoute(declared: readonly DeclaredRoute[], path: string): ApiError {
  const routes = declared.filter(({ method }) => method !== 'ALL');
  const methods = new Set(routes.filter((route) => takes(route, path)).map(({ method }) => method));
  if (methods.size === 0) {
    const named = routes.map((route) => `${route.method} ${route.path}`).join(', ');
    return notFound(`There is nothing here. There are: ${named}.`);
  }
  // A HEAD is answered as the GET is, without its body.
  const allow = [...methods].flatMap((method) => (method === 'GET' ? [method, 'HEAD'] : [method]));
  const message = `This path takes ${allow.join(' and ')}.`;
  return { status: 405, code: 'method_not_allowed', message, param: null, allow };
}

function takes({ path: declared }: DeclaredRoute, path: string): boolean {
  const [parts, given] = [declared.split('/'), path.split('/')];
  return parts.length === given.length && parts.every((part, i) => part.startsWith(':') || part === given[i]);
}

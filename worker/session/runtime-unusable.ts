import { LetheError } from '../../shared/error/lethe-error.ts';

/** Codes with which Node says that a module, or the library that it is, cannot be loaded. */
const loadCodes: readonly string[] = ['ERR_DLOPEN_FAILED', 'MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'];

/** What the end of a session thread says where onnxruntime's library cannot be loaded; undefined for any other end. */
export function runtimeUnusable(cause: Error): LetheError | undefined {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined || !loadCodes.includes(code)) return undefined;
  // The rest is a stack of modules.
  const [why = code] = cause.message.split('\n');
  return new LetheError('runtime-unusable', {
    what: 'the library of onnxruntime does not fit this system',
    where: `${process.platform} ${process.arch}, ${cLibrary()}`,
    why,
    next: adviceFor(why, code),
    cause,
  });
}

/** The C library that Node runs on, as far as Node says. */
function cLibrary(): string {
  if (process.platform !== 'linux') return `Node ${process.versions.node}`;
  const { header } = process.report.getReport() as { readonly header?: { readonly glibcVersionRuntime?: string } };
  const version = header?.glibcVersionRuntime;
  return version === undefined ? 'a C library other than glibc (musl)' : `glibc ${version}`;
}

function adviceFor(why: string, code: string): string {
  if (code !== 'ERR_DLOPEN_FAILED')
    return 'install it with `npm ci`; it comes for Linux with glibc, macOS and Windows, on x64 and arm64';
  if (/musl|ld-linux|Error loading shared library|Error relocating/.test(why))
    return 'use a system with glibc, such as Debian or Ubuntu (node:22-slim instead of node:22-alpine)';
  if (/GLIBC|GLIBCXX|CXXABI/.test(why)) return 'use a newer system: its C or C++ library is older than the one needed';
  return 'install it again with `npm ci`, on a system with glibc, macOS or Windows; commands that run no model work without it';
}

import { describe, expect, it } from 'vitest';
import { runtimeUnusable } from './runtime-unusable.ts';

const failure = (code: string | undefined, message: string): Error => Object.assign(new Error(message), { code });

describe('the end of a session thread', () => {
  it.each([
    ['ERR_DLOPEN_FAILED', 'Error loading shared library ld-linux-x86-64.so.2: No such file or directory', /glibc/],
    ['ERR_DLOPEN_FAILED', "/lib/libm.so.6: version `GLIBC_2.34' not found (required by x)", /newer system/],
    ['ERR_DLOPEN_FAILED', "libstdc++.so.6: version `GLIBCXX_3.4.32' not found", /newer system/],
    ['ERR_DLOPEN_FAILED', 'libonnxruntime.so.1: file too short', /npm ci/],
    ['MODULE_NOT_FOUND', "Cannot find module '../bin/napi-v6/linux/riscv64/onnxruntime_binding.node'", /x64 and arm64/],
    ['ERR_MODULE_NOT_FOUND', "Cannot find package 'onnxruntime-node'", /npm ci/],
  ])('is the library that does not fit, and why: %s %s', (code, message, advice) => {
    const error = runtimeUnusable(failure(code, `${message}\nRequire stack:\n- /x.js`));
    expect(error).toMatchObject({ code: 'runtime-unusable', why: message, isInput: false });
    expect(error?.next).toMatch(advice);
  });

  it('is something else where the library was loaded', () => {
    expect(runtimeUnusable(failure('ERR_WORKER_OUT_OF_MEMORY', 'memory'))).toBeUndefined();
    expect(runtimeUnusable(failure(undefined, 'x'))).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { disableTelemetry } from './no-telemetry.ts';

describe("onnxruntime's telemetry", () => {
  it.each([undefined, '', '0'])('is off for the process, whatever the environment says: %j', (before) => {
    const environment: NodeJS.ProcessEnv = { ORT_DISABLE_TELEMETRY: before };
    disableTelemetry(environment, true);
    expect(environment).toEqual({ ORT_DISABLE_TELEMETRY: '1' });
  });

  it('is off once the module is loaded', () => {
    expect(process.env['ORT_DISABLE_TELEMETRY']).toBe('1');
  });

  it('keeps a thread from loading the library where its process has not switched it off', () => {
    expect(() => {
      disableTelemetry({}, false);
    }).toThrow(/a thread cannot set it for its process/);
    expect(() => {
      disableTelemetry({ ORT_DISABLE_TELEMETRY: '1' }, false);
    }).not.toThrow();
  });
});

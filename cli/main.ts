#!/usr/bin/env node
import { reportFailure } from './output/failure.ts';
import { onOutputFailure } from './output/standard-output.ts';
import { printJson, tell } from './output/print.ts';
import { runProgram, wantsJson } from './program.ts';

onOutputFailure(end);

// A setting of nothing is none: commander would take an empty LETHE_CHECKPOINT for the current directory.
for (const [name, value] of Object.entries(process.env))
  if (name.startsWith('LETHE_') && value === '') Reflect.deleteProperty(process.env, name);

// Commands end by setting process.exitCode, never by exit(): what is still being written gets out.
const args = process.argv.slice(2);
try {
  await runProgram(args);
} catch (error) {
  if (wantsJson(args)) printJson(reportFailure(error).json);
  end(error);
}

function end(error: unknown): void {
  const { text, exitCode } = reportFailure(error);
  tell(text);
  process.exitCode = exitCode;
}

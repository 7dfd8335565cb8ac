import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

const plainError = {
  selector: 'ThrowStatement > NewExpression[callee.name=/^(Error|TypeError|RangeError)$/]',
  message: 'Throw a LetheError: code, what, why and what to do.',
};

const rawWrite = {
  selector: "CallExpression[callee.property.name='write']",
  message: 'cli/output/print.ts prints: it escapes what a terminal would take as a command.',
};

export default tseslint.config(
  { ignores: ['dist/', 'gen/', 'checkpoint/', '.dependency-cruiser.cjs', 'vitest.config.ts'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      // Numbers belong in messages; objects and possibly-undefined values do not.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Every failure a user can meet is a LetheError with a code and a next step.
      'no-restricted-syntax': ['error', plainError],
      'no-console': 'error',
    },
  },
  {
    // What is printed may come from anybody: one place escapes it.
    files: ['cli/**/*.ts'],
    ignores: ['cli/output/print.ts'],
    rules: { 'no-restricted-syntax': ['error', plainError, rawWrite] },
  },
  {
    files: ['**/*.spec.ts', '**/*.spec-support.ts'],
    rules: { 'no-restricted-syntax': 'off', '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['scripts/*.mjs', '*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);

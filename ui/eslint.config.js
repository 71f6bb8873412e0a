import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['dist/', 'node_modules/', 'src/bindings/'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
  {
    rules: {
      'no-undef': 'off',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'svelte/no-at-html-tags': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // Text from the air becomes text nodes only.
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'Text from the air is only ever a text node.' },
        { property: 'outerHTML', message: 'Text from the air is only ever a text node.' },
        { property: 'insertAdjacentHTML', message: 'Text from the air is only ever a text node.' },
      ],
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/platform/tauri.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@tauri-apps/*'], message: 'Only src/platform/tauri.ts speaks to Tauri.' }] },
      ],
    },
  },
);

import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The pages of `services/pages/`, built into one folder that `server/pages.ts` serves. */
export default defineConfig({
  root: fileOf('.'),
  plugins: [vue()],
  build: {
    outDir: fileOf('built'),
    emptyOutDir: true,
    // The content security policy allows no `data:` scripts and no inline ones.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: [fileOf('index.html'), fileOf('chat/index.html'), fileOf('console/index.html')],
    },
  },
});

/** Builds the page into dist/playground: all that it needs, so that it works without a network. */
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import type { UserConfig } from 'vite'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const config: UserConfig = {
  root: at('.'),
  plugins: [react()],
  resolve: {
    alias: [
      { find: /^parley-voice$/, replacement: at('../src/index.ts') },
      { find: /^parley-voice\/(browser|react|trace)$/, replacement: at('../src/$1/index.ts') },
      { find: /^#socket$/, replacement: at('../src/transports/socket.web.ts') },
      { find: /^#core$/, replacement: at('../src/transports/core.web.ts') },
      { find: /^#backstage$/, replacement: at('../src/agents/backstage.web.ts') },
    ],
  },
  build: {
    outDir: at('../dist/playground'),
    emptyOutDir: true,
    target: 'es2023',
    reportCompressedSize: false,
    // The page makes a WebRTC transport by name, for calls that are only written: what loads it later finds it there.
    rolldownOptions: { checks: { ineffectiveDynamicImport: false } },
  },
  // `npx vite playground` beside `parley dev --no-open`: the page as it is edited, the far end from there.
  server: { proxy: { '/playground/config': local(), '/playground/session': local(), '/v1': { ...local(), ws: true } } },
}
// biome-ignore lint/style/noDefaultExport: Vite asks for it
export default config

function local() {
  return { target: 'http://127.0.0.1:8787' }
}

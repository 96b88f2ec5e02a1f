import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ViteUserConfig } from 'vitest/config'

const { imports, exports } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8'))

/** Tests run on the sources: what package.json resolves to `dist` is resolved to the same file in `src`. */
const alias = [
  ...Object.entries<Record<string, string>>(imports).map(([name, to]) => source(name, to['node'] ?? to['default'])),
  ...Object.entries<Record<string, string>>(exports).map(([name, to]) =>
    source(name.replace('.', 'parley-voice'), to['default']),
  ),
].filter((entry) => entry !== undefined)

const config: ViteUserConfig = {
  resolve: { alias },
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.{ts,tsx}'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    teardownTimeout: 5_000,
  },
}
export default config

function source(name: string, dist: string | undefined): { find: RegExp; replacement: string } | undefined {
  if (!dist?.startsWith('./dist/')) return
  const path = dist.replace('./dist/', './src/').replace(/\.js$/, '.ts')
  return { find: new RegExp(`^${name}$`), replacement: fileURLToPath(new URL(path, import.meta.url)) }
}

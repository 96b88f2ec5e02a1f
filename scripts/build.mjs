/** Builds dist: what tsc emits of src, beside it the files that are JavaScript already (workers), and the playground's page. */
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const main = join(dist, 'cli/main.js')

rmSync(dist, { recursive: true, force: true })
const tsc = join(root, 'node_modules/typescript/bin/tsc')
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (status !== 0) {
  rmSync(dist, { recursive: true, force: true })
  process.exit(1)
}

for (const file of readdirSync(join(root, 'src'), { recursive: true })) {
  if (!file.endsWith('.mjs')) continue
  mkdirSync(dirname(join(dist, file)), { recursive: true })
  copyFileSync(join(root, 'src', file), join(dist, file))
}
await build({ configFile: join(root, 'playground/vite.config.ts'), logLevel: 'warn' })
if (existsSync(main)) chmodSync(main, 0o755)

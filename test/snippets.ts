/** The snippets of the docs: found, held to the types, and run as they stand. */
import { readdirSync, readFileSync } from 'node:fs'
import { API } from 'typescript/unstable/sync'
import { createViteServer } from 'vitest/node'
import config from '../vitest.config.ts'

export interface Snippet {
  readonly file: string
  /** The line of its file on which its code begins. */
  readonly line: number
  readonly code: string
  /**
   * What stands behind the fence: `ts`, `ts no-run`, or what runs in a browser: `ts browser` (`browser-guides.test.ts`) and
   * `tsx` (`react-guide.test.ts`).
   */
  readonly fence: string
  /** What it says that it prints: the comments that begin with an arrow. */
  readonly prints: readonly string[]
}

export const pages: readonly string[] = [
  'README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

/** All fenced code of a page. */
export function fencesIn(file: string): readonly Snippet[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/^```(\S[^\n]*)\n(.*?)^```$/gms)].map(({ 1: fence = '', 2: code = '', index }) => ({
    file,
    line: text.slice(0, index).split('\n').length + 1,
    code,
    fence: fence.trim(),
    prints: [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, words = '']) => words),
  }))
}

export const snippets: readonly Snippet[] = pages.flatMap(fencesIn).filter(({ fence }) => fence.startsWith('ts'))

export const nameOf = ({ file, line }: Snippet): string => `${file}:${line}`

/** A snippet as a module: its lines keep their numbers. */
export const pathOf = ({ file, line, fence }: Snippet): string =>
  `${process.cwd()}/${file}.${line}.${fence === 'tsx' ? 'tsx' : 'ts'}`
const sourceOf = ({ line, code }: Snippet): string => '\n'.repeat(line - 1) + code

/** What the compiler says of them, by the options of `tsconfig.json`, with file and line. */
export function typeErrors(all: readonly Snippet[]): readonly string[] {
  const project = `${process.cwd()}/tsconfig.docs.json`
  const files = new Map(all.map((snippet) => [pathOf(snippet), sourceOf(snippet)]))
  files.set(project, JSON.stringify({ extends: './tsconfig.json', include: [], files: all.map(pathOf) }))
  const api = new API({
    cwd: process.cwd(),
    fs: {
      readFile: (path) => files.get(path),
      fileExists: (path) => (files.has(path) ? true : undefined),
    },
  })
  try {
    const { program } = api.updateSnapshot({ openProjects: [project] }).getProject(project)!
    const errors = [...program.getConfigFileParsingDiagnostics(), ...program.getProgramDiagnostics()]
    for (const path of all.map(pathOf)) {
      errors.push(...program.getSyntacticDiagnostics(path), ...program.getSemanticDiagnostics(path))
    }
    return errors.map(({ fileName, pos, text }) => {
      const line = files
        .get(fileName ?? '')
        ?.slice(0, pos)
        .split('\n').length
      return `${fileName?.replace(/^.*\/(?=docs\/|README)|\.\d+\.tsx?$/g, '')}:${line} ${text}`
    })
  } finally {
    api.close()
  }
}

export interface Stage {
  /** Runs a module, of the snippet's own code or of a file, and gives its exports. */
  load(path: string): Promise<Record<string, unknown>>
  close(): Promise<void>
}

/** Vite, as the tests have it, but that a snippet's `parley-voice` is `docs-parley.ts`. */
export async function snippetStage(): Promise<Stage> {
  const files = new Map(snippets.map((snippet) => [pathOf(snippet), sourceOf(snippet)]))
  const parley = { find: /^parley-voice$/, replacement: `${process.cwd()}/test/docs-parley.ts` }
  const { alias } = config.resolve as { alias: (typeof parley)[] }
  const vite = await createViteServer({
    configFile: false,
    logLevel: 'error',
    appType: 'custom',
    server: { middlewareMode: true, ws: false, hmr: false, watch: null },
    optimizeDeps: { noDiscovery: true },
    resolve: { alias: [parley, ...alias] },
    plugins: [
      {
        name: 'snippets',
        resolveId: (id) => (files.has(id) ? id : undefined),
        load: (id) => files.get(id),
      },
    ],
  })
  return { load: (path) => vite.ssrLoadModule(path), close: () => vite.close() }
}

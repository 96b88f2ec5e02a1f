import type { Metafile } from 'esbuild'

export interface Size {
  readonly raw: number
  readonly gzipped: number
}

export interface Bundle {
  readonly metafile: Metafile
  readonly texts: readonly string[]
  readonly atOnce: Size
  chunk(...ends: readonly string[]): Size
}

export function bundle(contents: string, external?: readonly string[]): Promise<Bundle>

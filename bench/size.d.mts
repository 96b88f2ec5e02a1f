import type { Bundle, Size } from './bundle.mjs'

export const entry: string
export const named: string
export function size(): Promise<Readonly<Record<'atOnce' | 'named' | 'webRTC' | 'webSocket', Size>>>
export function calls(bundle: Pick<Bundle, 'chunk'>): Readonly<Record<'webRTC' | 'webSocket', Size>>

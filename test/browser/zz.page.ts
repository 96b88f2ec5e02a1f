import { playback, type Step, type Played } from './audio.page.ts'
export async function raw(steps: readonly Step[]): Promise<{ frames: number[]; edges: number[][]; played: Played }> {
  const played = await playback(steps)
  const blocks = (globalThis as any).rawBlocks as [number, Float32Array][]
  return { frames: blocks.map((b) => b[0]), edges: blocks.map((b) => [b[1][0]!, b[1][64]!, b[1][127]!]), played }
}

/** A caller's voice in the world's time: 100 ms a letter, `t` for sound and `s` for silence, at the pace of speech. */
import type { World } from '../src/testing/index.ts'

interface Speaking {
  readonly world: World
  readonly session: { sendAudio(audio: Uint8Array): boolean }
}

export async function speak({ world, session }: Speaking, letters: string): Promise<void> {
  for (const letter of letters) {
    session.sendAudio(letter === 't' ? tone : silence)
    await world.settle(world.now() + 100)
  }
}

/** Half a second of speech, and silence until the turn is over. */
export const oneTurn: string = `tttttt${'s'.repeat(10)}`

const samples = 2_400
export const tone: Uint8Array = new Uint8Array(
  Int16Array.from({ length: samples }, (_, n) => 8_000 * Math.sin((2 * Math.PI * 300 * n) / 24_000)).buffer,
)
export const silence: Uint8Array = new Uint8Array(2 * samples)

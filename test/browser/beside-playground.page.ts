/** Runs before the playground's own page: speaks into its microphone, and watches how loud its meter shows the agent. */
import { mouth } from './hearing.page.ts'

export interface Beside {
  /** `wav`: a wav file as base64. Resolves when it has been said. */
  say(wav: string): Promise<void>
  /** The most that the meter of what is heard has shown, 0 to 1. */
  loudest(): number
}

const { say } = mouth()
let most = 0
const look = () => {
  const meter = document.querySelector<HTMLElement>('.meter[data-which=output]')
  most = Math.max(most, Number(meter?.style.getPropertyValue('--audio-level') ?? 0))
  requestAnimationFrame(look)
}
look()

const beside: Beside = { say, loudest: () => most }
Object.assign(globalThis, { beside })

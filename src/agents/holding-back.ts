import { UserError } from '../protocol/errors.ts'
import type { RealtimeSessionOptions } from './options.ts'

type Guarding<Context> = Pick<RealtimeSessionOptions<Context>, 'outputGuardrailSettings' | 'outputGuardrails'>

/** @throws UserError where audio is to be held back that does not come through here. */
export function requireNoHoldback<Context>({ outputGuardrailSettings, outputGuardrails }: Guarding<Context>): void {
  if (outputGuardrailSettings?.mode !== 'holdback' || !outputGuardrails?.length) return
  throw new UserError(
    "Over WebRTC the far end's audio is heard as it comes and cannot be held back: pass transport: 'websocket', or use mode: 'monitor'.",
  )
}

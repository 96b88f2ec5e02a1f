/** What a page must load: the browser entry, and what a call loads besides, by transport. */
import { bundle } from './bundle.mjs'

export const entry = "export { RealtimeAgent, RealtimeSession, tool } from './src/index.ts'"
/** The same with the transports by name. */
export const named = `${entry}
export { OpenAIRealtimeWebRTC, OpenAIRealtimeWebSocket } from './src/index.ts'`

export async function size() {
  const [alone, withNames] = [await bundle(entry), await bundle(named)]
  return { atOnce: alone.atOnce, named: withNames.atOnce, ...calls(alone) }
}

/** What is loaded when a call begins. */
export function calls({ chunk }) {
  return {
    webRTC: chunk('agents/backstage.ts', 'transports/webrtc.ts'),
    webSocket: chunk('agents/backstage.ts', 'transports/websocket.ts'),
  }
}

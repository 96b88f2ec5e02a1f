/** What a page must load: the browser entry, and what a call loads besides, by transport. */
import { bundle } from './bundle.mjs'

export async function size() {
  const { atOnce, chunk } = await bundle("export { RealtimeAgent, RealtimeSession, tool } from './src/index.ts'")
  return {
    atOnce,
    webRTC: chunk('agents/stage.ts', 'transports/webrtc.ts'),
    webSocket: chunk('agents/stage.ts', 'transports/websocket.ts'),
  }
}

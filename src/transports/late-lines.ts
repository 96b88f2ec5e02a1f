/** Lines of a page: what makes them is loaded when one is first dialed; the microphone can be chosen before. */
import type { ConnectOptions, Dial } from '../session/transport.ts'
import { part } from './late.ts'
import { lineMedia } from './media-devices.ts'
import type { WebRTC, WebRTCOptions } from './webrtc.ts'
import type { WebSocketOptions } from './websocket.ts'

export interface Lines extends Omit<WebRTC, 'dialer'> {
  dialer(options: ConnectOptions): Dial | Promise<Dial>
}

export function lateWebRTC(options: WebRTCOptions): Lines {
  const media = lineMedia(options)
  let lines: WebRTC | null = null
  return {
    media,
    get parts() {
      return lines?.parts ?? {}
    },
    async dialer(where) {
      const { webRTC } = await part(import('./webrtc.ts'))
      lines ??= webRTC(options, media)
      return lines.dialer(where)
    },
    mute: media.mute,
    close: media.close,
  }
}

export async function lateWebSocket(options: WebSocketOptions): Promise<Dial> {
  return (await part(import('./websocket.ts'))).webSocket(options)
}

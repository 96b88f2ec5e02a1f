import { toBase64 } from '../protocol/base64.ts'
import type { Clock } from '../protocol/clock.ts'
import { messageOf, UserError } from '../protocol/errors.ts'
import type { RealtimeError, SessionConfig } from '../protocol/events.ts'
import { realClock } from '../session/clock.ts'
import { type Media, MediaError } from '../session/media.ts'
import { type Cause, type ConnectOptions, type Dial, type Listener, partIn } from '../session/transport.ts'
import { callsUrl, hangUpUrl, requireSecret, standard } from './address.ts'
import { type Break, broken, byUs, refused } from './causes.ts'
import { readText } from './frame.ts'
import { keyOf, whyUnopened } from './key.ts'
import { type LineMediaOptions, lineMedia } from './media-devices.ts'
import { hiding, once } from './once.ts'

/** ms for which the way to the far end may be lost before the line is. */
const graceMs = 5_000
/** Bytes that may wait in the data channel. */
const mostWaiting = 4_000_000

export interface WebRTCOptions extends ConnectOptions, LineMediaOptions {
  readonly useInsecureApiKey?: boolean | undefined
  /** Makes the peer connection in our place: React Native's, or that of a package for Node. */
  readonly peerConnection?: (() => RTCPeerConnection | Promise<RTCPeerConnection>) | undefined
  /** Is given the peer connection before the offer is made, and gives it back, or another. */
  readonly changePeerConnection?:
    | ((connection: RTCPeerConnection) => RTCPeerConnection | Promise<RTCPeerConnection>)
    | undefined
  readonly fetch?: typeof fetch | undefined
  readonly clock?: Clock | undefined
}

/** Lines over WebRTC, one after the other, with one microphone and one speaker. */
export interface WebRTC {
  readonly media: Media
  /** What the last line is made of. */
  readonly parts: Parts
  dialer(options: ConnectOptions): Dial
  mute(muted: boolean): void
  /** The call is over: microphone and speaker are let go. */
  close(): void
}

interface Parts {
  readonly peerConnection?: RTCPeerConnection
  readonly dataChannel?: RTCDataChannel
  readonly callId?: string
}

/** A way to the far end over WebRTC: its events through a data channel, the audio as tracks. */
export function webRTC(options: WebRTCOptions = {}): WebRTC {
  const { clock = realClock } = options
  const media = lineMedia(options)
  let parts: Parts = {}

  function dialer({ apiKey = options.apiKey, model = options.model, url = options.url, callId }: ConnectOptions): Dial {
    if (partIn({ callId, url }).attached)
      throw new UserError("A call that stands already is joined over a WebSocket: transport: 'websocket'.")
    let hasOpened = false
    return (listener, config = {}) => {
      const line = once(listener)
      const abort = new AbortController()
      let peer: RTCPeerConnection | null = null
      let channel: RTCDataChannel | null = null
      let key: string | null = null
      let over = false
      let calm: (() => void) | null = null
      /** Where the call is hung up that was made and has not opened: nothing else tells the far end that it is not wanted. */
      let unopened: string | null = null
      const hide = hiding(() => key)

      /** What this attempt has made goes with it; the microphone stays for the next one. */
      function end(cause: Cause): void {
        if (over) return
        over = true
        calm?.()
        abort.abort()
        media.sendBy(null)
        if (channel) shut(channel)
        if (peer) shut(peer)
        if (unopened) hangUp(unopened)
        parts = {}
        line.dropped(cause)
      }
      const breaks = (code: Break, words = '') => end(broken(code, hide.text(words), line.lastError()))

      /** What is waited for may come when nobody wants it any more. */
      async function wanted<Value>(coming: Value | Promise<Value>): Promise<Value> {
        const value = await coming
        if (over) throw new Error('The line was given up.')
        return value
      }

      async function open(): Promise<void> {
        key = await wanted(keyOf(apiKey))
        requireSecret(key, options.useInsecureApiKey === true)
        const isSecret = !key || key.startsWith('ek_')
        // A client secret knows its model; a form says it.
        const to = callsUrl(url, isSecret ? (model ?? (key ? undefined : standard)) : undefined)
        if (!key && !url)
          throw new UserError('There is no API key. Pass apiKey, or the url of a server that needs none.')
        await equip(await made(options.peerConnection ?? platformPeer))
        const { changePeerConnection } = options
        if (changePeerConnection) {
          const before = peer!
          const changed = await made(async () => (await changePeerConnection(before)) ?? before)
          if (changed !== before) {
            const equipped = equip(changed)
            shut(before)
            await equipped
          }
        }
        await wanted(peer!.setLocalDescription(await wanted(peer!.createOffer())))
        const sdp = await answer(to, peer!.localDescription!.sdp, isSecret)
        const mine = peer!
        await mine
          .setRemoteDescription({ type: 'answer', sdp })
          .catch((error) => breaks('sdp_refused', messageOf(error)))
        // A far end that leaves says so here at once; ICE notices half a minute later.
        const secured = mine.sctp?.transport
        secured?.addEventListener('statechange', () => secured.state === 'closed' && breaks('channel_closed'))
      }

      async function made(make: () => RTCPeerConnection | Promise<RTCPeerConnection>): Promise<RTCPeerConnection> {
        const mine = await make()
        if (over) shut(mine)
        return wanted(mine)
      }

      async function equip(mine: RTCPeerConnection): Promise<void> {
        const events = mine.createDataChannel('oai-events')
        const isOurs = () => !over && peer === mine
        peer = mine
        channel = events
        parts = { peerConnection: mine, dataChannel: events }
        mine.addEventListener('connectionstatechange', () => isOurs() && watch(mine.connectionState))
        mine.addEventListener('track', ({ track, streams }) => {
          if (!isOurs()) return
          track.addEventListener('ended', () => isOurs() && breaks('track_ended'))
          media.hear(track, streams[0])
        })
        events.addEventListener('open', () => {
          if (!isOurs()) return
          hasOpened = true
          unopened = null
          line.opened(true)
        })
        events.addEventListener('close', () => isOurs() && breaks('channel_closed'))
        events.addEventListener('message', ({ data }) => {
          const event = isOurs() && typeof data === 'string' ? readText(data) : null
          if (event) line.received(hide.event(event))
        })
        // A microphone that was lost during the call does not end it: another may be plugged in. So may the first.
        const track = speaks(options, config) ? await wanted(inTheirTime(media.open()).catch(unlessFirst)) : null
        media.sendBy(track ? mine.addTrack(track) : mine.addTransceiver('audio', { direction: 'sendrecv' }).sender)
      }

      async function inTheirTime<Value>(asked: Promise<Value>): Promise<Value> {
        line.prompted?.(true)
        try {
          return await asked
        } finally {
          line.prompted?.(false)
        }
      }

      function unlessFirst(error: unknown): null {
        if (!hasOpened) throw error
        return null
      }

      function watch(state: RTCPeerConnectionState): void {
        calm?.()
        calm = null
        if (state === 'failed') breaks('ice_failed')
        if (state === 'closed') breaks('peer_closed')
        if (state === 'disconnected') calm = clock.at(clock.now() + graceMs, () => breaks('ice_disconnected'))
      }

      async function answer(to: string, sdp: string, isSecret: boolean): Promise<string> {
        const session = { type: 'realtime', model: model ?? standard, ...config }
        const headers = {
          accept: 'application/sdp',
          ...(key ? { authorization: `Bearer ${key}` } : {}),
          ...(isSecret ? { 'content-type': 'application/sdp' } : {}),
        }
        const body = isSecret ? sdp : form({ sdp, session: JSON.stringify(session) })
        const ask = options.fetch ?? fetch
        const response = await wanted(ask(to, { method: 'POST', headers, body, signal: abort.signal })).catch(
          (error) => {
            breaks('unreachable', unreached(error))
            throw error
          },
        )
        const callId = response.headers.get('location')?.match(/[^/?]+(?=\?|$)/)?.[0]
        if (callId) {
          parts = { ...parts, callId }
          if (response.ok) unopened = hangUpUrl(to, callId)
        }
        const words = await wanted(response.text())
        if (!response.ok) end(refused(response.status, hide.text(words)))
        return wanted(words)
      }

      function hangUp(to: string): void {
        const headers = key ? { authorization: `Bearer ${key}` } : {}
        const ask = async () => (options.fetch ?? fetch)(to, { method: 'POST', headers, keepalive: true })
        ask().catch(() => {})
      }

      function send(text: string, event_id?: string): boolean {
        if (over || channel?.readyState !== 'open') return false
        const wrong = tooLarge(text, peer?.sctp?.maxMessageSize) ?? sent(channel, text)
        if (wrong) queueMicrotask(() => over || refuse(listener, wrong, event_id))
        if (channel.bufferedAmount > mostWaiting) breaks('channel_stalled')
        return !wrong
      }

      open().catch((error: unknown) => {
        if (error instanceof MediaError) end(unheard(error))
        else end(whyUnopened(error, !hasOpened, hide.text))
      })
      return {
        send: (event) => void send(JSON.stringify(event), event.event_id),
        append: (audio) => send(`{"type":"input_audio_buffer.append","audio":"${toBase64(audio)}"}`),
        close: () => end(byUs),
      }
    }
  }

  return {
    media,
    get parts() {
      return parts
    },
    dialer,
    mute: media.mute,
    close: media.close,
  }
}

/** Who writes only, and is answered in writing, needs no microphone. */
function speaks({ microphone, mediaStream }: LineMediaOptions, config: Partial<SessionConfig>): boolean {
  if (microphone !== undefined) return microphone !== false
  const isOfText = config.output_modalities?.every((modality) => modality === 'text')
  return mediaStream !== undefined || !isOfText
}

function platformPeer(): RTCPeerConnection {
  if ('RTCPeerConnection' in globalThis) return new RTCPeerConnection()
  throw new UserError('This platform has no RTCPeerConnection. Pass peerConnection.')
}

function form(parts: Readonly<Record<string, string>>): FormData {
  const data = new FormData()
  for (const [name, value] of Object.entries(parts)) data.set(name, value)
  return data
}

function shut(one: { close(): unknown }): void {
  try {
    Promise.resolve(one.close()).catch(() => {})
  } catch {}
}

function unheard({ state, message: reason }: MediaError): Cause {
  return { reason, code: `microphone_${state}`, fatal: true, initiator: 'us' }
}

/** A page is not told why, where the far end only does not allow it; Node says why one level down. */
function unreached(error: unknown): string {
  const { cause } = error as Error
  const ofPage = 'document' in globalThis ? '. Does it allow this page (CORS)?' : ''
  return `${messageOf(error)}${cause instanceof Error ? `: ${cause.message}` : ofPage}`
}

function sent(channel: RTCDataChannel, text: string): string | null {
  try {
    channel.send(text)
    return null
  } catch (error) {
    return `The event could not be sent: ${messageOf(error)}`
  }
}

function tooLarge(text: string, most: number | null | undefined): string | null {
  if (!most || text.length * 3 <= most) return null
  const bytes = new TextEncoder().encode(text).length
  return bytes > most ? `The event has ${bytes} bytes, and the data channel takes ${most}. Send less at once.` : null
}

/** What the channel does not take is refused as the far end refuses: the core knows what that means for each event. */
function refuse(listener: Listener, message: string, event_id: string | undefined): void {
  const named = event_id === undefined ? {} : { event_id }
  const error = {
    type: 'invalid_request_error',
    code: 'message_not_sent',
    message,
    param: null,
    ...named,
  } as RealtimeError
  listener.received({ type: 'error', event_id: 'local', error })
}

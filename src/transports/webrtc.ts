import { toBase64 } from '../protocol/base64.ts'
import type { Clock } from '../protocol/clock.ts'
import { messageOf, UserError } from '../protocol/errors.ts'
import { realClock } from '../session/clock.ts'
import { closedByUs } from '../session/closed.ts'
import { speaks, unheard } from '../session/devices.ts'
import { type Media, MediaError } from '../session/media.ts'
import { type Cause, type ConnectOptions, type Dial, partIn } from '../session/transport.ts'
import { callsUrl, hangUpUrl, requireSecret, standard } from './address.ts'
import { type Break, broken, refused } from './causes.ts'
import { refuse, sent } from './channel.ts'
import { frameReader } from './frame.ts'
import { keyOf, whyUnopened } from './key.ts'
import { type LineMedia, type LineMediaOptions, lineMedia } from './media-devices.ts'
import { hiding, once } from './once.ts'
import { sounding } from './sounding.ts'

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
export function webRTC(options: WebRTCOptions = {}, media: LineMedia = lineMedia(options)): WebRTC {
  const { clock = realClock } = options
  let parts: Parts = {}

  function dialer({ apiKey = options.apiKey, model = options.model, url = options.url, callId }: ConnectOptions): Dial {
    if (partIn({ callId, url }).attached)
      throw new UserError("A call that stands already is joined over a WebSocket: transport: 'websocket'.")
    media.begin()
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
      const audible = sounding(clock, (response_id) => line.sounded?.(response_id))

      /** What this attempt has made goes with it; the microphone stays for the next one. */
      function end(cause: Cause): void {
        if (over) return
        over = true
        calm?.()
        audible.stop()
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
        line.reached('key')
        key = await wanted(keyOf(apiKey))
        requireSecret(key, options.useInsecureApiKey === true)
        const isSecret = !key || key.startsWith('ek_')
        // A client secret knows its model; a form says it.
        const to = callsUrl(url, isSecret ? (model ?? (key ? undefined : standard)) : undefined)
        if (!key && !url)
          throw new UserError('There is no API key. Pass apiKey, or the url of a server that needs none.')
        line.reached('offer')
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
        line.reached('answer')
        const sdp = await answer(to, peer!.localDescription!.sdp, isSecret)
        line.reached('way')
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
        const read = frameReader()
        peer = mine
        channel = events
        parts = { peerConnection: mine, dataChannel: events }
        mine.addEventListener('connectionstatechange', () => isOurs() && watch(mine.connectionState))
        mine.addEventListener('iceconnectionstatechange', () => {
          if (isOurs() && /connected|completed/.test(mine.iceConnectionState)) line.reached('channel')
        })
        mine.addEventListener('track', ({ track, streams, receiver }) => {
          if (!isOurs()) return
          audible.from(receiver)
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
          const event = isOurs() && typeof data === 'string' ? read(data) : null
          if (!event) return
          line.received(hide.event(event))
          audible.received(event)
        })
        // A microphone that was lost during the call does not end it: another may be plugged in. So may the first.
        const isSpoken = speaks(options.microphone ?? options.mediaStream, config)
        const track = isSpoken ? await wanted(inTheirTime(media.open()).catch(unlessFirst)) : null
        media.sendBy(track ? mine.addTrack(track) : mine.addTransceiver('audio', { direction: 'sendrecv' }).sender)
      }

      async function inTheirTime<Value>(asked: Promise<Value>): Promise<Value> {
        line.prompted(true)
        try {
          return await asked
        } finally {
          line.prompted(false)
          line.reached('offer')
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
        const wrong = sent(channel, text, peer?.sctp?.maxMessageSize)
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
        close: () => end(closedByUs),
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

function platformPeer(): RTCPeerConnection {
  if ('RTCPeerConnection' in globalThis) return new RTCPeerConnection()
  throw new UserError('This platform has no RTCPeerConnection. Pass peerConnection.')
}

function form(parts: Readonly<Record<string, string>>): FormData {
  const data = new FormData()
  for (const [name, value] of Object.entries(parts)) data.append(name, value)
  return data
}

function shut(one: { close(): unknown }): void {
  try {
    Promise.resolve(one.close()).catch(() => {})
  } catch {}
}

/** A page is not told why, where the far end only does not allow it; Node says why one level down. */
function unreached(error: unknown): string {
  const { cause } = error as Error
  const ofPage = 'document' in globalThis ? '. Does it allow this page (CORS)?' : ''
  return `${messageOf(error)}${cause instanceof Error ? `: ${cause.message}` : ofPage}`
}

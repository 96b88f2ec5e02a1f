/** One call over WebRTC: sound by RTP, words by the data channel and by every sideband that is attached. */
import type { WebSocket } from 'ws'
import { toBytes } from '../../audio/pcm.ts'
import type { Clock } from '../../protocol/clock.ts'
import type { ServerEvent } from '../../protocol/events.ts'
import { type Call, type ConverseOptions, converse } from '../converse.ts'
import { hear } from '../door.ts'
import { refusal } from '../rules/decide.ts'
import { type Refusal, refusals } from '../rules/refusals.ts'
import { incoming } from './incoming.ts'
import type { Metronome } from './metronome.ts'
import { codec } from './opus.ts'
import { type OutgoingLine, outgoing } from './outgoing.ts'
import { type Peer, peer } from './peer.ts'
import { pulse } from './pulse.ts'

export interface RtcCallOptions {
  readonly clock: Clock
  readonly offer: string
  readonly metronome: Metronome
  readonly newId: (prefix: string) => string
  /** All that the talk needs beside the line. */
  readonly talk: Omit<ConverseOptions, 'emit' | 'hangUp' | 'outgoing' | 'clock'>
  /** The call is over. */
  readonly over: () => void
}

export interface RtcCall {
  readonly answer: string
  /** Gives a sideband the events from now on, and takes its own. */
  attach(client: WebSocket): void
  /** Ends the call; settles when nothing is left of it. */
  end(code: number, reason: string): Promise<void>
}

/** ms in which a client that was answered has to connect, though it be heard of. */
const connectMs = 30_000
/** Bytes that may wait for a client that does not read. */
const waitingLimit = 16 * 1024 * 1024

/** Rejects when the offer cannot be answered: an `OfferError`. */
export async function rtcCall(options: RtcCallOptions): Promise<RtcCall> {
  const { clock, metronome, newId } = options
  const { encoder, decoder, free } = await codec()
  const sidebands = new Set<WebSocket>()
  /** Events that were told before the channel was open; null: it is. */
  let early: string[] | null = []
  let earlyLength = 0
  let isConnected = false
  let ending: Promise<void> | null = null
  let talk: Call | null = null
  let line: OutgoingLine | null = null

  const far = await peer({
    offer: options.offer,
    on: {
      connected() {
        isConnected = true
        line?.open()
      },
      opened() {
        const told = early ?? []
        early = null
        for (const text of told) sendToPeer(text)
      },
      sound(packet) {
        metronome.hurry()
        microphone.push(packet)
      },
      message(text) {
        if (ending || !talk) return
        const refused = text === null ? refusals.binary() : hear(talk, text)
        if (refused) sendToPeer(refusedText(refused))
      },
      gone: (why) => void end(1000, why),
    },
  }).catch((error: unknown) => {
    free()
    throw error
  })
  const microphone = incoming(clock, decoder, (samples) => {
    if (!ending) talk?.hearSound(toBytes(samples))
  })

  function sendToPeer(text: string): void {
    if (ending) return
    if (early) {
      early.push(text)
      earlyLength += text.length
      if (earlyLength > waitingLimit) void end(1013, 'The client does not open its data channel.')
    } else if (far.bufferedBytes > waitingLimit) void end(1013, 'The client does not read what it is sent.')
    else if (!far.sendText(text)) far.sendText(refusedText(refusals.tooLong()))
  }

  function emit(event: ServerEvent): void {
    const text = JSON.stringify(event)
    sendToPeer(text)
    for (const client of sidebands) sendToSideband(client, text)
  }

  function sendToSideband(client: WebSocket, text: string): void {
    if (client.readyState !== client.OPEN) return
    if (client.bufferedAmount <= waitingLimit) return client.send(text)
    client.close(1013, 'The client does not read what it is sent.')
  }

  function refusedText(why: Refusal): string {
    return JSON.stringify({ event_id: newId('event_'), ...refusal(why, null) })
  }

  function attach(client: WebSocket): void {
    sidebands.add(client)
    client.on('error', () => {})
    client.on('close', () => sidebands.delete(client))
    client.on('message', (data, isBinary) => {
      if (client.readyState !== client.OPEN || !talk || ending) return
      const refused = isBinary ? refusals.binary() : hear(talk, String(data), isNoSound)
      if (refused) sendToSideband(client, refusedText(refused))
    })
  }

  function end(code: number, reason: string): Promise<void> {
    ending ??= leave(far, code, reason)
    return ending
  }

  async function leave(left: Peer, code: number, reason: string): Promise<void> {
    talk?.ended()
    line?.close()
    stopBeat()
    stopWaiting()
    for (const client of sidebands) client.close(code, reason)
    free()
    options.over()
    await left.close()
  }

  const stopWaiting = clock.at(clock.now() + connectMs, () => {
    if (!isConnected) void end(1000, 'The client did not connect.')
  })
  const alive = pulse({
    received: () => far.received,
    gone: (ms) => void end(1000, `The client is gone: nothing came from it for ${Math.round(ms / 1_000)} s.`),
  })
  const stopBeat = metronome.join({
    send: (now) => line?.send(now) ?? false,
    beat(now) {
      microphone.beat(now)
      alive(now)
    },
  })
  talk = converse({
    ...options.talk,
    clock,
    emit,
    hangUp: (code, reason) => void end(code, reason),
    outgoing(told) {
      line = outgoing({ clock, encoder, write: far.sendSound, hurry: metronome.hurry, ...told })
      if (isConnected) line.open()
      return line
    },
  })
  return { answer: far.answer, attach, end }
}

/** A sideband steers a call; its sound comes from the caller alone. */
function isNoSound({ type }: { readonly type?: unknown }): Refusal | null {
  return type === 'input_audio_buffer.append' ? refusals.soundOnSideband() : null
}

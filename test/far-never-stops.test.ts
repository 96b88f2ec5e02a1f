/** A far end that plays by itself and never says that it fell silent. */
import { expect, test } from 'vitest'
import { RealtimeAgent, RealtimeSession } from '../src/index.ts'
import { isAudio } from '../src/protocol/audio.ts'
import type { ServerEvent } from '../src/protocol/events.ts'
import { scripted } from '../src/server/brain/scripted.ts'
import type { Dial } from '../src/session/transport.ts'
import { farEnd, toneVoice, world } from '../src/testing/index.ts'
import { meanwhile, say } from './talk.ts'

/** As over WebRTC, without the event that ends the sound. */
const carrying =
  (dial: Dial): Dial =>
  (listener, config) => {
    const begun = new Set<string>()
    const line: typeof listener = {
      ...listener,
      opened: () => listener.opened(true),
      dropped: listener.dropped,
      received(event) {
        if (!isAudio(event)) return listener.received(event)
        const { response_id } = event
        if (begun.has(response_id)) return
        begun.add(response_id)
        listener.received({ type: 'output_audio_buffer.started', event_id: 'e', response_id } as ServerEvent)
      },
    }
    return dial(line, config)
  }

test('playbackDrained() settles all the same', async () => {
  const w = world(1)
  const answer = 'It is on its way, and it will be there on Tuesday morning.'
  const far = farEnd(w, { brain: scripted(() => [say(answer)]), voice: toneVoice({ msPerLetter: 60 }) })
  const session = new RealtimeSession(new RealtimeAgent({ name: 'A' }), {
    clock: w.clock,
    seed: 7,
    transport: { carriesAudio: true, dialer: () => carrying(far.dial) },
  })
  const told: string[] = []
  session.on('audio_start', () => told.push('starts')).on('audio_stopped', () => told.push('stops'))
  await meanwhile(w, session.connect())
  session.sendMessage('Where is my order?')
  await w.settle(w.now() + 2_000)
  const soundMs = answer.length * 60
  const since = session.state.playback.item!.since!
  let drainedAt: number | null = null
  void session.playbackDrained().then(() => {
    drainedAt = w.now()
  })
  await w.settle(since + soundMs)
  expect([told, drainedAt]).toEqual([['starts'], null])
  await w.settle(w.now() + 60_000)
  expect(told).toEqual(['starts', 'stops'])
  expect(drainedAt! - since).toBeGreaterThan(soundMs)
  expect(drainedAt! - since).toBeLessThan(6 * soundMs)
  expect(session.state.playback.cuts).toEqual({})
  session.close()
})

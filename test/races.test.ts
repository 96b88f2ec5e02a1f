/** Races that random calls have found: the shortest call that shows each. */
import { expect, test } from 'vitest'
import { encodeUlaw } from '../src/audio/g711.ts'
import { RealtimeAgent } from '../src/index.ts'
import { say, talk } from './talk.ts'

/** G.711 µ-law, 100 ms each: 400 ms of a tone, then silence. */
const tone = encodeUlaw(Int16Array.from({ length: 800 }, (_, n) => 8_000 * Math.sin((2 * Math.PI * 300 * n) / 8_000)))
const still = new Uint8Array(800).fill(0xff)
const tones: readonly Uint8Array[] = [still, still, tone, tone, tone, tone, still, still, still, still]

test('what was retold to another far end as text is not truncated there, though it is still being heard', async () => {
  const it = await talk(new RealtimeAgent({ name: 'A' }), () => [say('A long answer, and more of it, and more.')])
  await it.say('go', 1_500)
  expect(it.session.state.playback.item).not.toBeNull()
  expect(it.session.state.conversation.responses).toEqual([])
  it.session.renew()
  await it.run(200)
  it.session.interrupt()
  await it.run(1_000)
  expect(it.errors).toEqual([])
  expect(it.told.map(({ type }) => type)).not.toContain('conversation.item.truncate')
})

test('a turn that was heard end while a response was being cancelled is answered, where speech does not cut', async () => {
  const it = await talk(new RealtimeAgent({ name: 'A' }), () => [say('An answer, and more of it.')], {
    ears: ['and now?'],
    config: {
      audio: {
        input: {
          format: { type: 'audio/pcmu' },
          turnDetection: { type: 'server_vad', silence_duration_ms: 200, interrupt_response: false },
        },
      },
    },
  })
  await it.say('go', 5)
  it.session.interrupt()
  for (const frame of tones) it.session.sendAudio(frame)
  await it.run()
  expect(it.words.slice(-2)).toEqual(['user: and now?', 'assistant: An answer, and more of it.'])
})

test('a reply that lost to a response that the far end began and ended by itself is asked for again', async () => {
  const it = await talk(new RealtimeAgent({ name: 'A' }), () => [say('An answer.')], {
    config: {
      audio: {
        input: { format: { type: 'audio/pcmu' }, turnDetection: { type: 'server_vad', silence_duration_ms: 200 } },
      },
    },
  })
  for (const frame of tones.concat(tones)) it.session.sendAudio(frame)
  const reply = it.session.generateReply()
  await it.run()
  expect((await Promise.race([reply.done, Promise.resolve(null)]))?.text).toBe('An answer.')
})

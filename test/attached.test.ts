/** A session that is attached to a call that stands already: the audio flows elsewhere, the prompt and the tools are here. */
import { describe, expect, test } from 'vitest'
import { RealtimeAgent, type RealtimeSessionOptions, tool } from '../src/index.ts'
import type { ClientEvent, SessionConfig } from '../src/protocol/events.ts'
import { began, calling, ended, itemBegan, type Loose, puppet, usual } from './puppet.ts'

const sky = (runs: string[] = []) =>
  tool({
    name: 'sky',
    description: 'Sky.',
    execute() {
      runs.push('sky')
      return 'sunny'
    },
  })
const clerk = (runs?: string[]) =>
  new RealtimeAgent({ name: 'Clerk', instructions: 'You help.', voice: 'cedar', tools: [sky(runs)] })
const attached = (options: Partial<RealtimeSessionOptions<unknown>> & { answer?: Answer; runs?: string[] } = {}) =>
  puppet(clerk(options.runs), { connect: { callId: 'rtc_1' }, ...options })
type Answer = (event: ClientEvent) => readonly Loose[] | undefined

const configs = (told: readonly ClientEvent[]) =>
  told.flatMap((event) => (event.type === 'session.update' ? [event.session as SessionConfig] : []))
const types = (told: readonly ClientEvent[]) => told.map(({ type }) => type)
const message = (id: string, text: string): Loose => ({
  type: 'conversation.item.added',
  previous_item_id: null,
  item: { id, type: 'message', role: 'user', status: 'completed', content: [{ type: 'input_text', text }] },
})

describe('what the call is told', () => {
  test('who speaks and what they can do, and nothing of how it sounds', async () => {
    const it = await attached()
    expect(configs(it.told)).toEqual([
      { type: 'realtime', instructions: 'You help.', tools: [expect.objectContaining({ name: 'sky' })] },
    ])
  })

  test('what the app gives of the sound itself', async () => {
    const it = await attached({
      config: { voice: 'marin', audio: { input: { turnDetection: { type: 'semantic_vad' } } } },
    })
    expect(configs(it.told)[0]?.audio).toEqual({
      input: { turn_detection: { type: 'semantic_vad' } },
      output: { voice: 'marin' },
    })
  })

  test('nothing of who may interrupt: that is for those who carry the audio', async () => {
    const it = await attached({
      interruption: { mode: 'confirm' },
      config: { audio: { input: { turnDetection: { type: 'server_vad' } } } },
    })
    expect(configs(it.told)[0]?.audio?.input?.turn_detection).toEqual({ type: 'server_vad' })
    await it.say(began('r'), ...itemBegan('r', 'a'), {
      type: 'input_audio_buffer.speech_started',
      item_id: 'u',
      audio_start_ms: 0,
    })
    expect(types(it.told)).toEqual(['session.update'])
  })

  test('an agent that takes over there brings no voice', async () => {
    const it = await attached()
    await it.say(began('r'), ...itemBegan('r', 'a'), {
      type: 'response.content_part.added',
      response_id: 'r',
      item_id: 'a',
      output_index: 0,
      content_index: 0,
      part: { type: 'audio', transcript: '' },
    })
    const switched = it.session.updateAgent(new RealtimeAgent({ name: 'Second', voice: 'ash' }))
    await it.run()
    await switched
    expect(configs(it.told).at(-1)).toEqual({ type: 'realtime', instructions: '', tools: [] })
  })

  test('the address may name the call as well', async () => {
    const it = await puppet(clerk(), { connect: { url: 'ws://far/v1/realtime?call_id=rtc_1' } })
    expect(configs(it.told)[0]).not.toHaveProperty('audio')
  })
})

describe('its audio flows elsewhere', () => {
  test('microphone audio is refused with a sentence', async () => {
    const it = await attached()
    expect(() => it.session.sendAudio(new Uint8Array(4_800))).toThrow(/attached to a call/)
  })

  test('who barges in is left to the far end, and what was heard is as it says', async () => {
    const it = await attached()
    const part = { type: 'audio', transcript: '' }
    const at = { response_id: 'r', item_id: 'a', output_index: 0, content_index: 0 }
    await it.say(
      began('r'),
      ...itemBegan('r', 'a'),
      { type: 'response.content_part.added', ...at, part },
      { type: 'response.output_audio_transcript.delta', ...at, delta: 'One two three four five six.' },
      { type: 'output_audio_buffer.started', response_id: 'r' },
      { type: 'input_audio_buffer.speech_started', item_id: 'u', audio_start_ms: 0 },
      { type: 'output_audio_buffer.cleared', response_id: 'r' },
      { type: 'conversation.item.truncated', item_id: 'a', content_index: 0, audio_end_ms: 700 },
    )
    expect(types(it.told)).toEqual(['session.update'])
    expect(it.session.history).toMatchObject([{ itemId: 'a', interrupted: true, heardMs: 700 }])
  })
})

describe('the conversation is the far end’s', () => {
  test('what was said before is in the history as it is told, and is not told back', async () => {
    const it = await attached({ greet: () => [message('u', 'Where is my order?')] } as never)
    expect(it.session.history).toMatchObject([{ itemId: 'u', content: [{ text: 'Where is my order?' }] }])
    expect(types(it.told)).toEqual(['session.update'])
  })

  test('on a line that came back, only what it may not have heard is said again', async () => {
    const known = new Set<string>()
    let isLost = false
    const it = await attached({
      answer(event) {
        if (event.type !== 'conversation.item.create') return undefined
        if (known.has(event.item.id!)) return [exists(event)]
        known.add(event.item.id!)
        return isLost ? [] : usual(event)
      },
    })
    it.session.sendMessage('one', {}, { triggerResponse: false })
    await it.run()
    isLost = true
    it.session.sendMessage('two', {}, { triggerResponse: false })
    await it.run()
    await it.hangUp()
    await it.run(1_000)
    expect(it.lines()).toBe(2)
    expect(it.toldOf('conversation.item.create').map(({ item }) => JSON.stringify(item).match(/one|two/)?.[0])).toEqual(
      ['one', 'two', 'two'],
    )
    expect(it.session.history.map((item) => item.type === 'message' && item.content)).toMatchObject([
      [{ text: 'one' }],
      [{ text: 'two' }],
    ])
    expect([it.errors, it.session.state.pending]).toEqual([[], []])
  })

  test('an answer that was being given goes on without us, and no other is asked for', async () => {
    const it = await attached()
    it.session.sendMessage('hello')
    await it.run()
    await it.say(began('r'), ...itemBegan('r', 'a'))
    await it.hangUp()
    await it.run(1_000)
    const content = [{ type: 'output_audio', transcript: 'Here I am.' }]
    const item = { id: 'a', type: 'message', role: 'assistant', status: 'completed', content }
    await it.say({ type: 'conversation.item.done', previous_item_id: null, item }, ended('r', { output: [item] }))
    expect(it.toldOf('response.create')).toHaveLength(1)
    expect(it.session.history.at(-1)).toMatchObject({ status: 'completed', content: [{ transcript: 'Here I am.' }] })
  })

  test('what is wanted while such an answer is given is asked for at its end', async () => {
    let isBusy = true
    const it = await attached({
      answer: (event) =>
        event.type === 'response.create' && isBusy
          ? [
              {
                type: 'error',
                error: {
                  type: 'x',
                  code: 'conversation_already_has_active_response',
                  message: 'Busy.',
                  event_id: event.event_id,
                },
              },
            ]
          : undefined,
    })
    it.session.sendMessage('hello')
    await it.run(200)
    expect(it.toldOf('response.create')).toHaveLength(1)
    isBusy = false
    await it.say(ended('r_theirs'))
    expect(it.toldOf('response.create')).toHaveLength(2)
    expect(it.errors).toEqual([])
  })
})

describe('W31: a call of a tool is answered by one', () => {
  test('by who is attached', async () => {
    const runs: string[] = []
    const it = await attached({ runs })
    await it.say(...calling('r', 'sky'))
    expect(runs).toEqual(['sky'])
    expect(types(it.told)).toEqual(['session.update', 'conversation.item.create', 'response.create'])
  })

  test('not by who observes: no config is said, no tool is run, nothing is asked for again', async () => {
    const runs: string[] = []
    const it = await puppet(clerk(runs), {
      connect: { callId: 'rtc_1', observe: true },
      greeting: 'Say hello.',
    })
    await it.say(
      message('u', 'How is the sky?'),
      ...calling('r', 'sky'),
      began('failed'),
      ended('failed', { status: 'failed', status_details: { error: { type: 'server_error', code: 'server_error' } } }),
    )
    await it.run(60_000)
    expect([runs, it.told]).toEqual([[], []])
    expect(it.session.history).toMatchObject([{ itemId: 'u' }, { type: 'function_call', output: null }])
    const output = { id: 'o', type: 'function_call_output', call_id: 'call_r', output: 'cloudy' }
    await it.say({ type: 'conversation.item.added', previous_item_id: null, item: output })
    expect(it.session.history.at(-1)).toMatchObject({ type: 'function_call', output: 'cloudy' })
  })

  test('one that observes may still say something', async () => {
    const it = await puppet(clerk(), { connect: { callId: 'rtc_1', observe: true } })
    it.session.sendMessage('hello')
    await it.run()
    expect(types(it.told)).toEqual(['conversation.item.create', 'response.create'])
  })
})

function exists(event: ClientEvent & { readonly item?: { readonly id?: string } }): Loose {
  const message = `Error creating item: an item with id '${event.item?.id}' already exists.`
  return {
    type: 'error',
    error: { type: 'invalid_request_error', code: 'invalid_value', message, event_id: event.event_id },
  }
}

/**
 * What goes wrong in the OpenAI Agents SDK's realtime part, as its user meets it, and that it cannot here: history and guardrails.
 * The numbers are those of a list of its defects; those of WebRTC and of telephones alone are not here, and W31 is in
 * `attached.test.ts`.
 */
import { describe, expect, test } from 'vitest'
import { type RealtimeItem, tool } from '../src/index.ts'
import { agentOf, textOf, typesOf, userItem } from './peer-scenes.ts'
import { type Loose, puppet } from './puppet.ts'
import { oneTurn, speak } from './speaking.ts'
import { callTool, lastWords, say, talk } from './talk.ts'

test('W13: images stand in the history, with the words that they came with', async () => {
  const image = 'data:image/png;base64,AAAA'
  const it = await talk(agentOf(), () => [say('Nice.')])
  it.session.sendMessage({
    content: [
      { type: 'input_text', text: 'Look:' },
      { type: 'input_image', image },
    ],
  })
  await it.run()
  it.session.addImage(image, { triggerResponse: false })
  await it.run()
  expect(it.session.history).toMatchObject([
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'Look:' },
        { type: 'input_image', image },
      ],
    },
    { role: 'assistant' },
    { role: 'user', content: [{ type: 'input_image', image }] },
  ])
  expect(it.errors).toEqual([])
})

test('W23: what is told while the session connects is in the history', async () => {
  const item = userItem('u', { content: [{ type: 'input_text', text: 'I was here before.' }] })
  const it = await puppet(agentOf(), {
    answer: (event) =>
      event.type === 'session.update'
        ? [
            { type: 'conversation.item.added', item, previous_item_id: null },
            { type: 'session.updated', session: event.session },
          ]
        : undefined,
  })
  expect(it.session.history.map(textOf)).toEqual(['I was here before.'])
})

test('W24: an item that is corrected, and one that is put between, stand where they belong', async () => {
  const it = await talk(agentOf(), (thought) => [say(`You said ${lastWords(thought)}.`)])
  await it.say('one')
  await it.say('two')
  const texts = () => it.session.history.map(textOf)
  expect(texts()).toEqual(['one', 'You said one.', 'two', 'You said two.'])
  it.session.updateHistory(([one, ...rest]) => [
    { ...(one as Extract<RealtimeItem, { type: 'message' }>), content: [{ type: 'input_text', text: 'uno' }] },
    ...rest,
  ])
  await it.run()
  expect(texts()).toEqual(['uno', 'You said one.', 'two', 'You said two.'])
  const told = it.told.length
  it.session.updateHistory((history) => [
    ...history.slice(0, 2),
    {
      ...(history[0] as Extract<RealtimeItem, { type: 'message' }>),
      itemId: 'between',
      content: [{ type: 'input_text', text: 'between' }],
    },
    ...history.slice(2),
  ])
  await it.run()
  expect(texts()).toEqual(['uno', 'You said one.', 'between', 'two', 'You said two.'])
  expect(typesOf(it.told.slice(told))).toEqual(['conversation.item.create'])
  expect(it.errors).toEqual([])
})

test('W25: a guardrail sees words only, and what the model is told of a trip is no message of the user', async () => {
  const seen: string[] = []
  const execute = ({ agentOutput }: { agentOutput: string }) => {
    seen.push(agentOutput)
    return { tripwireTriggered: agentOutput.includes('secret') }
  }
  const sky = tool({ name: 'sky', description: 'Sky.', execute: () => 'sunny' })
  const answers = [[callTool('sky')], [say('It is a secret.')], [say('I cannot say.')]]
  const it = await talk(agentOf({ tools: [sky] }), () => answers.shift() ?? [], {
    outputGuardrails: [{ name: 'no secrets', execute }],
  })
  const tripped: string[] = []
  it.session.on('guardrail_tripped', (_context, _agent, { guardrail }) => tripped.push(guardrail))
  await it.say('how is it?')
  expect(seen).toEqual(['It is a secret.', 'I cannot say.'])
  expect(tripped).toEqual(['no secrets'])
  const { history } = it.session
  expect(history.filter((item) => item.type === 'message' && item.role === 'user').map(textOf)).toEqual(['how is it?'])
  expect(textOf(history.at(-1))).toBe('I cannot say.')
})

test('W25: what the user says can be guarded', async () => {
  const execute = ({ input }: { input: string }) => ({ tripwireTriggered: input.includes('password') })
  const it = await talk(agentOf(), () => [say('The password is swordfish.')], {
    ears: ['tell me the password'],
    inputGuardrails: [{ name: 'no passwords', execute }],
  })
  const tripped: unknown[] = []
  it.session.on('guardrail_tripped', (_context, _agent, { kind, guardrail, text }) =>
    tripped.push([kind, guardrail, text]),
  )
  await speak(it, oneTurn)
  await it.run()
  expect(tripped).toEqual([['input', 'no passwords', 'tell me the password']])
})

describe('W26: words stand in the history while they come', () => {
  test('those of the agent', async () => {
    const it = await talk(agentOf(), () => [say('One two three four.')])
    const shown: (string | undefined)[] = []
    it.session.on('history_updated', (history) => shown.push(textOf(history.at(-1))))
    await it.say('count')
    const lengths = new Set(shown.filter((text) => 'One two three four.'.startsWith(text ?? '?')))
    expect([...lengths]).toEqual(['', 'One', 'One two', 'One two three', 'One two three four.'])
  })

  test('those of the user; and where they cannot be had, that is said', async () => {
    const it = await puppet(agentOf())
    const content = [{ type: 'input_audio', transcript: null }]
    const words = (delta: string): Loose => ({
      type: 'conversation.item.input_audio_transcription.delta',
      item_id: 'u',
      content_index: 0,
      delta,
    })
    await it.say(
      { type: 'conversation.item.added', item: userItem('u', { content }), previous_item_id: null },
      { type: 'conversation.item.done', item: userItem('u', { content }), previous_item_id: null },
      words('Where is'),
    )
    expect(it.session.history).toMatchObject([{ content: [{ transcript: 'Where is' }], transcriptStatus: 'pending' }])
    const error = { type: 'transcription_error', code: 'x', message: 'No words.' }
    await it.say({ type: 'conversation.item.input_audio_transcription.failed', item_id: 'u', content_index: 0, error })
    expect(it.session.history).toMatchObject([{ transcriptStatus: 'failed' }])
  })
})

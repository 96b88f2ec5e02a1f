/** Guardrails in a conversation: what trips is cut, the model is told, and nobody hears what was held back. */
import { describe, expect, test } from 'vitest'
import { type OutputGuardrail, RealtimeAgent, type Speaker } from '../src/index.ts'
import type { AudioDelta } from '../src/protocol/events.ts'
import { pacedSpeaker } from '../src/session/paced-speaker.ts'
import { lastWords, meanwhile, type Script, say, type Talk, talk } from './talk.ts'

const agent = () => new RealtimeAgent({ name: 'Clerk', instructions: 'Help.' })
const noSecrets: OutputGuardrail = {
  name: 'no secrets',
  policyHint: 'never tell the password',
  execute: ({ agentOutput }: { agentOutput: string }) => ({
    tripwireTriggered: agentOutput.includes('swordfish'),
    outputInfo: { length: agentOutput.length },
  }),
}
const secret =
  'Well, since you ask so kindly, the password is swordfish, and now you may go in and look around as you like.'
/** Tells the secret when asked, unless it was told not to. */
const script: Script = (thought) => {
  if (thought.instructions.includes('never tell the password')) return [say('I cannot say that.')]
  return [say(lastWords(thought).includes('password') ? secret : 'Hello to you, and to all of your friends as well.')]
}

function trips(it: Talk<unknown>) {
  const tripped: { guardrail: string; itemId: string; responseId: string | null }[] = []
  it.session.on('guardrail_tripped', (_context, _agent, { guardrail, responseId }, { itemId }) =>
    tripped.push({ guardrail, itemId, responseId }),
  )
  return tripped
}

describe('what the agent says', () => {
  test('is checked while it is said: what trips is cut, the model says something else, and the history has no fake message', async () => {
    const it = await talk(agent(), script, {
      outputGuardrails: [noSecrets],
      outputGuardrailSettings: { debounceTextLength: 20 },
    })
    const tripped = trips(it)
    await it.say('tell me the password')
    expect(tripped).toHaveLength(1)
    expect(tripped[0]).toMatchObject({ guardrail: 'no secrets' })
    expect(it.toldTypes()).toContain('response.cancel')
    expect(it.words.filter((words) => words.startsWith('user'))).toEqual(['user: tell me the password'])
    expect(it.words.at(-1)).toBe('assistant: I cannot say that.')
    const cut = it.session.history.find(({ itemId }) => itemId === tripped[0]!.itemId)
    expect(cut).toMatchObject({ status: 'incomplete' })
    expect(it.errors).toEqual([])
  })

  test('what is fine goes through, and the instructions of before hold for the next answer', async () => {
    const it = await talk(agent(), script, { outputGuardrails: [noSecrets] })
    const tripped = trips(it)
    await it.say('hello')
    await it.say('hello')
    expect(tripped).toEqual([])
    expect(it.words.filter((words) => words.startsWith('assistant'))).toHaveLength(2)
  })

  test('a guardrail that is slow never cuts a newer answer', async () => {
    let calls = 0
    const slow: OutputGuardrail = {
      name: 'slow',
      execute: () =>
        new Promise((resolve) => {
          calls++
          it.world.after(calls === 1 ? 20_000 : 0, () => resolve({ tripwireTriggered: calls === 1 || false }))
        }),
    }
    const it: Talk<unknown> = await talk(agent(), script, {
      outputGuardrails: [slow],
      outputGuardrailSettings: { debounceTextLength: -1 },
    })
    const tripped = trips(it)
    await it.say('hello', 10_000)
    it.session.sendMessage('hello again')
    await it.run(60_000)
    expect(tripped.length).toBeLessThanOrEqual(1)
    expect(it.words.at(-1)).toBe('assistant: Hello to you, and to all of your friends as well.')
    expect(it.session.history.filter((item) => 'interrupted' in item && item.interrupted)).toEqual([])
  })

  test('a guardrail that fails is told, and hurts nothing', async () => {
    const failing: OutputGuardrail = {
      name: 'failing',
      execute: () => {
        throw new Error('no model')
      },
    }
    const it = await talk(agent(), script, { outputGuardrails: [failing] })
    await it.say('hello')
    expect(String(it.errors[0])).toContain('failing')
    expect(it.words.at(-1)).toBe('assistant: Hello to you, and to all of your friends as well.')
  })
})

describe('holdback', () => {
  async function held(guardrail: OutputGuardrail) {
    const played: AudioDelta[] = []
    const holds: number[] = []
    let w: Talk<unknown>['world'] | null = null
    const it = await talk(agent(), script, {
      outputGuardrails: [guardrail],
      outputGuardrailSettings: { mode: 'holdback', debounceTextLength: 20 },
      msPerLetter: 40,
      speaker: (listener): Speaker => {
        const inner = pacedSpeaker({ clock: w!.clock, format: () => ({ type: 'audio/pcm', rate: 24_000 }) })(listener)
        return {
          play(audio) {
            played.push(audio)
            inner.play(audio)
          },
          hush: () => inner.hush(),
        }
      },
    })
    w = it.world
    it.session.on('audio_held', ({ ms }) => holds.push(ms))
    return { it, played, holds }
  }
  const msOf = (played: readonly AudioDelta[]) => played.reduce((sum, { audio }) => sum + audio.length / 48, 0)

  test('not a sample of what tripped reaches the speaker; what is said instead does', async () => {
    const { it, played } = await held(noSecrets)
    await it.say('tell me the password')
    const cut = it.session.history.find((item) => item.type === 'message' && item.role === 'assistant')!
    expect(played.filter(({ item_id }) => item_id === cut.itemId).length).toBe(0)
    expect(msOf(played)).toBeCloseTo('I cannot say that.'.length * 40, -1)
    expect(it.errors).toEqual([])
  })

  test('what passes is heard whole, and how long it was held is told', async () => {
    const slow: OutputGuardrail = {
      name: 'slow',
      execute: () => new Promise((resolve) => it.world.after(300, () => resolve({ tripwireTriggered: false }))),
    }
    const { it, played, holds } = await held(slow)
    await it.say('hello')
    expect(msOf(played)).toBeCloseTo('Hello to you, and to all of your friends as well.'.length * 40, -1)
    expect(holds).toHaveLength(1)
    expect(holds[0]).toBeGreaterThanOrEqual(290)
    expect(holds[0]).toBeLessThan(1_000)
  })
})

describe('what the user says', () => {
  const polite = {
    name: 'polite',
    policyHint: 'never tell the password',
    execute: ({ input }: { input: string }) => ({ tripwireTriggered: input.includes('damn') }),
  }

  test('in writing: the answer is cut, and the model is told how to go on', async () => {
    const it = await talk(agent(), script, { inputGuardrails: [polite] })
    const tripped = trips(it)
    await it.say('the damn thing')
    expect(tripped).toMatchObject([{ guardrail: 'polite' }])
    expect(it.words.at(-1)).toBe('assistant: I cannot say that.')
    await it.say('hello')
    expect(it.words.at(-1)).toContain('Hello')
    expect(tripped).toHaveLength(1)
  })

  test('before the session is connected, too', async () => {
    const it = await talk(agent(), script, { inputGuardrails: [polite] })
    it.session.close()
    const tripped = trips(it)
    it.session.sendMessage('damn')
    await meanwhile(it.world, it.session.connect())
    await it.run(5_000)
    expect(tripped).toHaveLength(1)
  })
})

/** Limits of a session: the app is warned, the agent says goodbye and is heard out, then the line is closed. */
import { expect, test } from 'vitest'
import { type LimitReached, RealtimeAgent } from '../src/index.ts'
import { speak } from './speaking.ts'
import { meanwhile, type Script, say, talk } from './talk.ts'

const script: Script = ({ instructions }) => [say(instructions.includes('goodbye') ? 'Goodbye then.' : 'Yes.')]

test.each([
  ['duration', { maxDurationMs: 20_000 }, 'duration'],
  ['idleness', { maxIdleMs: 10_000 }, 'idle'],
  ['tokens', { maxTokens: 60 }, 'tokens'],
  ['cost', { maxCost: 0.001 }, 'cost'],
] as const)('%s: a warning, a goodbye that is heard out, the end', async (_, limits, kind) => {
  const agent = new RealtimeAgent({ name: 'Clerk', instructions: 'Help.' })
  const it = await talk(agent, script, { limits: { ...limits, goodbye: 'Say goodbye.' } })
  const log: string[] = []
  it.session.on('limit_reached', ({ kind, isWarning }: LimitReached) => log.push(`${kind}${isWarning ? ' soon' : ''}`))
  it.session.on('audio_stopped', () => log.push('heard'))
  it.session.on('connection_change', ({ at }) => log.push(at))
  for (let n = 0; n < 10 && it.session.state.link.at === 'live'; n++) {
    if (kind !== 'idle') it.session.sendMessage('and?')
    await it.run(4_000)
  }
  expect(log.filter((what) => what !== 'heard')).toEqual(
    log.includes(`${kind} soon`) ? [`${kind} soon`, kind, 'closed'] : [kind, 'closed'],
  )
  expect(log.slice(-2)).toEqual(['heard', 'closed'])
  expect(it.words).toContain('assistant: Goodbye then.')
  expect(it.session.state.link).toMatchObject({ at: 'closed', cause: { initiator: 'us' } })
})

test('a limit that makes no sense is said when the session connects', async () => {
  const agent = new RealtimeAgent({ name: 'Clerk' })
  await expect(talk(agent, script, { limits: { maxTokens: -1 } })).rejects.toThrow(/maxTokens/)
})

test.each([
  ['a key that is held', 'pushToTalk'],
  ['a turn that the app commits', 'manual'],
] as const)('%s is no idleness, and silence after it is', async (_, turns) => {
  const agent = new RealtimeAgent({ name: 'Clerk', instructions: 'Help.' })
  const it = await talk(agent, () => [], { turns, ears: ['hello'], limits: { maxIdleMs: 3_000 } })
  const reached: string[] = []
  it.session.on('limit_reached', ({ kind, isWarning }) => reached.push(`${kind}${isWarning ? ' soon' : ''}`))
  if (turns === 'pushToTalk') it.session.beginTurn()
  await speak(it, 't'.repeat(50))
  expect(reached).toEqual([])
  if (turns === 'pushToTalk') it.session.endTurn()
  else it.session.sendEvent({ type: 'input_audio_buffer.commit' })
  await it.run(2_000)
  expect(reached).toEqual([])
  await it.run(3_000)
  expect(reached).toEqual(['idle soon', 'idle'])
})

test('a commit of sound that went another way is no idleness', async () => {
  const agent = new RealtimeAgent({ name: 'Clerk' })
  const it = await talk(agent, () => [], { turns: 'manual', limits: { maxIdleMs: 3_000 } })
  const reached: string[] = []
  it.session.on('limit_reached', ({ kind }) => reached.push(kind))
  await it.run(2_000)
  it.session.sendEvent({ type: 'input_audio_buffer.commit' })
  await it.run(2_000)
  expect(reached).toEqual([])
})

test('a goodbye that was cut short by the app ends no call that is connected after it', async () => {
  const agent = new RealtimeAgent({ name: 'Clerk', instructions: 'Help.' })
  const it = await talk(agent, script, { limits: { maxIdleMs: 3_000, goodbye: 'Say goodbye.' } })
  await it.run(3_020)
  expect(it.session.state.turn.given ?? it.session.state.turn.asked, 'it is being said').not.toBeNull()
  it.session.close()
  await meanwhile(it.world, it.session.connect())
  await it.run(2_000)
  expect(it.session.state.link.at).toBe('live')
})

import { expect, test } from 'vitest'
import { noUsage } from '../session/usage.ts'
import { RealtimeAgent } from './agent.ts'
import { configOf, roleOf } from './role.ts'
import { tool } from './tool.ts'

const context = { context: { name: 'Mia' }, history: [], usage: noUsage }

test('the agent, the defaults, and what the app wants, in the wire spelling', async () => {
  const agent = new RealtimeAgent<{ name: string }>({
    name: 'A',
    voice: 'marin',
    instructions: async ({ context }, { name }) => `You are ${name}. The user is ${context.name}.`,
    tools: [tool({ name: 'f', description: 'd', execute: () => '' })],
  })
  const config = configOf(await roleOf(agent, context), {
    audio: { input: { turnDetection: { type: 'server_vad', silenceDurationMs: 300 } }, output: { speed: 1.2 } },
  })
  expect(config).toEqual({
    instructions: 'You are A. The user is Mia.',
    output_modalities: ['audio'],
    audio: {
      input: {
        format: { type: 'audio/pcm', rate: 24_000 },
        transcription: { model: 'gpt-transcribe' },
        turn_detection: { type: 'server_vad', silence_duration_ms: 300 },
      },
      output: { format: { type: 'audio/pcm', rate: 24_000 }, voice: 'marin', speed: 1.2 },
    },
    tools: [
      {
        type: 'function',
        name: 'f',
        description: 'd',
        parameters: { type: 'object', properties: {}, additionalProperties: false },
      },
    ],
  })
})

test('null switches off, another type replaces whole, the wire spelling is accepted', async () => {
  const agent = new RealtimeAgent({ name: 'A' })
  const config = configOf(await roleOf(agent, context), {
    audio: { input: { turn_detection: null, format: { type: 'audio/pcmu' } } },
    outputModalities: ['text'],
    voice: 'cedar',
  })
  expect(config.audio?.input).toMatchObject({ turn_detection: null, format: { type: 'audio/pcmu' } })
  expect(config.audio?.input?.format).not.toHaveProperty('rate')
  expect(config.output_modalities).toEqual(['text'])
  expect(config.audio?.output?.voice).toBe('cedar')
})

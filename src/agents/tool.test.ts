import * as v from 'valibot'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { calling } from '../../test/calling.ts'
import { UserError } from '../protocol/errors.ts'
import { RealtimeAgent } from './agent.ts'
import { type FunctionTool, tool } from './tool.ts'

async function run(made: FunctionTool<never>, args: string) {
  const it = calling([made as FunctionTool])
  const { output } = (await it.call(made.name, args))!
  return { output, ...(it.errors.length ? { error: it.errors[0] } : {}) }
}

const base = { name: 'weather', description: 'The weather in a city.' }
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }

test('zod: the model sees its JSON Schema, the tool gets what it made of the arguments', async () => {
  const weather = tool({
    ...base,
    parameters: z.object({ city: z.string().trim(), days: z.number().default(1) }),
    execute: ({ city, days }) => `${city.toUpperCase()} ${days.toFixed(1)}`,
  })
  expect(weather.parameters).toMatchObject({ type: 'object', required: ['city'] })
  expect(weather.parameters).not.toHaveProperty('$schema')
  expect(await run(weather, '{"city":" Oslo "}')).toEqual({ output: 'OSLO 1.0' })
})

test('a Standard Schema library that makes no JSON Schema is given one', async () => {
  const parameters = v.object({ city: v.string() })
  expect(() => tool({ ...base, parameters, execute: () => '' })).toThrow(UserError)
  const weather = tool({ ...base, parameters, jsonSchema: schema as never, execute: ({ city }) => city })
  expect(weather.parameters).toEqual(schema)
  expect(await run(weather, '{"city":"Oslo"}')).toEqual({ output: 'Oslo' })
  expect((await run(weather, '{"city":1}')).output).toMatch(/arguments are wrong: city/)
})

test.each([
  ['not JSON', '{"city"', /not JSON/],
  ['not an object', '[1]', /must be a JSON object/],
  ['a required one missing', '{}', /city missing/],
])('arguments that are wrong are told to the model, and the tool is not run: %s', async (_, args, words) => {
  let ran = false
  const weather = tool({
    ...base,
    parameters: { ...schema, type: 'object' },
    execute: () => {
      ran = true
    },
  })
  const said = await run(weather, args)
  expect(said.output).toMatch(words)
  expect(said.error).toBeInstanceOf(Error)
  expect(ran).toBe(false)
})

test('results: text as it is, all else as JSON, nothing as "Done."', async () => {
  for (const [result, output] of [
    ['sunny', 'sunny'],
    [{ degrees: 7 }, '{"degrees":7}'],
    [undefined, 'Done.'],
    [Promise.resolve(null), 'null'],
  ])
    expect(await run(tool({ ...base, execute: () => result }), '')).toEqual({ output })
})

test('a tool that throws is told to the model, in its own words or in those of errorFunction', async () => {
  const execute = () => {
    throw new RangeError('no such city')
  }
  const said = await run(tool({ ...base, execute }), '{}')
  expect(said.output).toBe('The tool failed: no such city')
  expect((said.error as Error).cause).toBeInstanceOf(RangeError)
  const kind = tool({ ...base, execute, errorFunction: (_context, error) => `Sorry: ${(error as Error).message}` })
  expect(await run(kind, '{}')).toEqual({ output: 'Sorry: no such city' })
})

test('misuse is an error at the call', () => {
  expect(() => tool({ name: 'two words', description: '', execute: () => '' })).toThrow(UserError)
  const one = tool({ ...base, execute: () => '' })
  expect(() => new RealtimeAgent({ name: 'A', tools: [one, one] })).toThrow(/two tools called 'weather'/)
})

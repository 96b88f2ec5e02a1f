/** Any tool, any words: the brain never throws, answers the same to the same, and its arguments are what the schema asks for. */
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FunctionTool, Item, ToolChoice } from '../../protocol/events.ts'
import type { Thought, Utterance } from '../senses.ts'
import { brain } from './brain.ts'

const heard =
  `where is my order the number one two three and twenty five hundred point minus double what weather in berlin to paris
  from for at name anna email dot com tomorrow third of may seven pm yes no not large red add cancel with please goodbye
  repeat constructor toString __proto__ "quoted words" 12:30 2026-05-01 -3.5 AB-12 … ' " \u0000 世界 tell saying a`.split(
    /\s+/,
  )
const words = fc.array(fc.constantFrom(...heard), { maxLength: 20 }).map((some) => some.join(' '))
const names = fc.oneof(
  fc.constantFrom('order_number', 'city', 'guests', 'name', 'email', 'date', 'time', 'query', 'size', 'to', 'isOpen'),
  fc.string({ maxLength: 8 }),
)

const few = { maxLength: 3 }
const described = fc.record({ description: fc.constantFrom('', 'the city', 'number of people', 'in digits') })
const withRange = (type: string) =>
  fc
    .record({ minimum: fc.integer({ min: -30, max: 30 }), span: fc.nat(60), multipleOf: fc.constantFrom(1, 2, 5) })
    .map(({ minimum, span, multipleOf }) => ({ type, minimum, maximum: minimum + span, multipleOf }))
const leaf = fc.oneof(
  described.map((more) => ({ type: 'string', ...more })),
  fc
    .record({ minLength: fc.nat(4), maxLength: fc.integer({ min: 4, max: 12 }) })
    .map((more) => ({ type: 'string', ...more })),
  fc.constantFrom('^[0-9]+$', '^[A-Z]{2}', '^\\+?[0-9]{3,}$').map((pattern) => ({ type: 'string', pattern })),
  described.map((more) => ({ type: 'integer', ...more })),
  fc.constant({ type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 100 }),
  withRange('integer'),
  withRange('number'),
  fc.constant({ type: 'boolean' }),
  fc.constant({ type: 'null' }),
  fc
    .uniqueArray(fc.constantFrom('large', 'extra large', 'red', 'in berlin', '', 'Paris'), {
      minLength: 1,
      maxLength: 4,
    })
    .map((some) => ({ type: 'string', enum: some })),
  fc.constant({ type: 'integer', enum: [1, 2, 25] }),
  fc.constantFrom('fixed', 7, true, null).map((value) => ({ const: value })),
  fc.constant({ type: 'integer', default: 4 }),
  fc.constant({ type: ['string', 'null'] }),
  fc.constant({ type: ['integer', 'string'] }),
  fc.constant({ anyOf: [{ type: 'integer' }, { type: 'null' }] }),
  fc.constant({
    oneOf: [
      { type: 'string', enum: ['red', 'large'] },
      { type: 'integer', maximum: 99 },
    ],
  }),
  fc.constant({ $ref: '#/$defs/Size' }),
)
const { parameters } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('list'), tie('object')),
  list: fc
    .record({ items: tie('value'), minItems: fc.nat(2), uniqueItems: fc.boolean() })
    .map((list) => ({ type: 'array', ...list })),
  object: fc
    .tuple(fc.dictionary(names, tie('value'), { maxKeys: 4 }), fc.infiniteStream(fc.boolean()))
    .map(([properties, coins]) => ({
      type: 'object',
      properties,
      required: Object.keys(properties).filter(() => coins.next().value),
      additionalProperties: false,
    })),
  parameters: tie('object').map((object) => ({
    ...(object as object),
    $defs: { Size: { type: 'string', enum: ['large', 'extra large'] } },
  })),
}))

const toolNames = fc.constantFrom('look_up_order', 'getWeather', 'add', 'transfer_to_billing', '__proto__', '')
const choices = fc.constantFrom<ToolChoice[]>('auto', 'none', 'required', {
  type: 'function',
  name: 'getWeather',
})

function message(role: 'user' | 'assistant', transcript: string): Item {
  const id = `item_${transcript}`
  return role === 'user'
    ? { id, type: 'message', role, content: [{ type: 'input_audio', transcript }] }
    : { id, type: 'message', role, status: 'completed', content: [{ type: 'output_audio', transcript }] }
}

function think(items: readonly Item[], tools: readonly FunctionTool[], toolChoice: ToolChoice, instructions = '') {
  const thought: Thought = { instructions, tools, toolChoice, items, signal: new AbortController().signal }
  return brain().think(thought) as readonly Utterance[]
}

function toolsOf(named: readonly { readonly name: string; readonly parameters: unknown }[]): FunctionTool[] {
  return named.map((tool) => ({ type: 'function', description: 'Get an order, a city or the weather.', ...tool }))
}

function isForced(choice: ToolChoice): boolean {
  return choice === 'required' || typeof choice === 'object'
}

/** What the caller says, and what it answers to what the brain asks back. */
const turns = fc.array(words, { minLength: 1, maxLength: 4 })

test('its arguments are what the schema asks for, whatever is said', () => {
  const ajv = new Ajv({ strict: false })
  let calls = 0
  fc.assert(
    fc.property(
      turns,
      fc.array(fc.record({ name: toolNames, parameters }), { ...few, minLength: 1 }),
      choices,
      (said, named, choice) => {
        const tools = toolsOf(named)
        const items: Item[] = []
        for (const words of said) {
          items.push(message('user', words))
          const answer = think(items, tools, choice)
          expect(answer.length).toBeGreaterThan(0)
          expect(think(items, tools, choice)).toEqual(answer)
          for (const one of answer) {
            if (one.type === 'say') {
              items.push(message('assistant', one.text))
              continue
            }
            calls++
            const meant = tools.filter(({ name }) => name === one.name)
            const args = JSON.parse(JSON.stringify(one.arguments))
            const wrong = meant.map(({ parameters }) =>
              ajv.validate(parameters as object, args) ? '' : ajv.errorsText(),
            )
            // Who is forced to call may be forced to repeat: there are lists that nothing can fill otherwise.
            const right = wrong.map((words) =>
              isForced(choice) && /^[^,]*duplicate items[^,]*$/.test(words) ? '' : words,
            )
            expect(right, JSON.stringify(args)).toContain('')
          }
          if (answer.some(({ type }) => type === 'call')) return
        }
      },
    ),
    { seed: 1, numRuns: 500 },
  )
  expect(calls).toBeGreaterThan(100)
})

const keywords = fc.constantFrom(
  ...'type properties required items enum const default anyOf oneOf allOf $ref $defs pattern minimum maximum minItems format title description'.split(
    ' ',
  ),
)
const nonsense = fc.letrec((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small' },
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('string', 'object', 'array', ['object', 'null'], '#', '#/$defs/x', '#/a~1b', '(', '(a+'),
    fc.dictionary(keywords, tie('schema'), { maxKeys: 5 }),
    fc.array(tie('schema'), few),
  ),
})).schema

test('no schema and no words make it throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(words, fc.string(), fc.string({ unit: 'binary' })),
      fc.array(fc.record({ name: fc.oneof(toolNames, fc.string()), parameters: nonsense }), few),
      fc.oneof(words, fc.string()),
      choices,
      (said, named, told, choice) => {
        const tools = toolsOf(named)
        const asked = [message('user', 'get the weather'), message('assistant', 'Which city?'), message('user', said)]
        const output: Item = { id: 'out', type: 'function_call_output', call_id: 'call', output: told }
        const call: Item = { id: 'call', type: 'function_call', call_id: 'call', name: 'add', arguments: told }
        for (const items of [[], asked.slice(2), asked, [...asked, call], [...asked, call, output]]) {
          const answer = think(items, tools, choice, told)
          expect(think(items, tools, choice, told)).toEqual(answer)
          expect(answer.length).toBeGreaterThan(0)
        }
      },
    ),
    { seed: 1, numRuns: 400 },
  )
})

test('a schema that refers to itself is asked for no deeper than a caller speaks', () => {
  const parameters = {
    $ref: '#/$defs/Node',
    $defs: {
      Node: {
        type: 'object',
        properties: { city: { type: 'string' }, next: { anyOf: [{ $ref: '#/$defs/Node' }, { type: 'null' }] } },
        required: ['city', 'next'],
      },
    },
  }
  const answer = think(
    [message('user', 'the weather in berlin')],
    toolsOf([{ name: 'getWeather', parameters }]),
    'auto',
  )
  expect(answer).toEqual([{ type: 'call', name: 'getWeather', arguments: { city: 'berlin', next: null } }])
})

test('a schema that grows without end is asked for as far as a caller speaks', () => {
  const names = [...'abcdefghij']
  const properties = Object.fromEntries(names.map((name) => [name, { $ref: '#' }]))
  const tools = toolsOf([{ name: 'getWeather', parameters: { type: 'object', properties, required: names } }])
  expect(think([message('user', 'the weather')], tools, 'auto')).toHaveLength(1)
})

test.each(['where is my order in berlin at seven dot com ', 'a.', 'one ', '"', 'and the weather in rome '])(
  'a long text of "%s" is answered too',
  (piece) => {
    const properties = Object.fromEntries(['email', 'city', 'date', 'guests'].map((name) => [name, { type: 'string' }]))
    const tools = toolsOf([{ name: 'getWeather', parameters: { type: 'object', properties } }])
    expect(think([message('user', piece.repeat(20_000))], tools, 'auto').length).toBeGreaterThan(0)
  },
)

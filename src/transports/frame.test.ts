import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frameReader, parsedWhole, searchedFrom } from './frame.ts'
import { bytesReader } from './socket.node.ts'

/** The law: however a frame is read, and whatever was read before it, it says what it says when it is parsed whole. */
function readsAsParsedWhole(...texts: readonly string[]): void {
  const [read, readBytes] = [frameReader(), bytesReader()]
  for (const text of texts) {
    const whole = plain(parsedWhole(text))
    expect(plain(read(text)), 'as text').toEqual(whole)
    expect(plain(readBytes(Buffer.from(text))), 'as bytes').toEqual(whole)
  }
}

/** Bytes by value, whatever they stand in. */
function plain(event: object | null): unknown {
  if (!event || !('audio' in event) || !(event.audio instanceof Uint8Array)) return event
  return { ...event, audio: Buffer.from(event.audio).toString('hex') }
}

/** A lone surrogate has no bytes: no frame can carry it. */
const isWellFormed = (text: string) => Buffer.from(text).toString() === text

const audio = 'AAEC/+8='.padStart(searchedFrom, 'AQID')
const frame = (...members: readonly string[]) => `{${members.join(',')}}`
const type = '"type":"response.output_audio.delta"'
const rest = '"event_id":"e","response_id":"r","item_id":"i","output_index":0,"content_index":0'
const delta = `"delta":"${audio}"`

test.each([
  ['in the order of the real service', frame(type, rest, delta)],
  ['with its audio first', frame(delta, type, rest)],
  ['with its audio in the middle', frame(type, delta, rest)],
  ['with a field that nobody knows', frame(type, rest, '"obfuscation":{"a":[1,"b"]}', delta)],
  ['with spaces after its colons', frame(type, rest, `"delta" : "${audio}"`).replaceAll('":', '": ')],
  ['over several lines', `\n{\n${[type, rest, delta].join(',\n')}\n}\n`],
  ['in URL-safe base64', frame(type, rest, `"delta":"${'-_-_'.repeat(200)}"`)],
  ['in base64 without padding', frame(type, rest, `"delta":"${'AQID'.repeat(200)}AQ"`)],
  ['in base64 that was cut off', frame(type, rest, `"delta":"${'AQID'.repeat(200)}A"`)],
  ['in two pieces of base64', frame(type, rest, `"delta":"${'AQID'.repeat(200)}AQ==AQID"`)],
  ['with base64 over several lines', frame(type, rest, `"delta":"${'AQID\\n'.repeat(200)}"`)],
  ['with slashes escaped', frame(type, rest, `"delta":"${'AQ\\/\\/'.repeat(200)}"`)],
  ['in no base64 at all', frame(type, rest, `"delta":"${'é 💬!'.repeat(200)}"`)],
  ['with an empty delta', frame(type, rest, '"delta":""', `"pad":"${audio}"`)],
  ['with its delta twice', frame(type, rest, delta, '"delta":"AAAA"')],
  ['with its delta twice, the last one empty', frame(type, rest, delta, '"delta":""')],
  ['with its delta twice, the first one empty', frame(type, rest, '"delta":""', delta)],
  ['with its delta twice, the last one a number', frame(type, rest, delta, '"delta":1')],
  ['with its delta inside something else', frame(type, rest, `"x":{${delta}}`)],
  ['with its delta inside something else, and audio of its own', frame(type, rest, '"audio":null', `"x":{${delta}}`)],
  ['with audio of its own', frame(type, rest, delta, '"audio":null')],
  ['with a line break in its audio', frame(type, rest, `"delta":"${audio}\n${audio}"`)],
  ['with a zero in its audio', frame(type, rest, `"delta":"${audio}\0${audio}"`)],
  ['with another delta inside something before', frame(type, rest, `"x":{${delta}}`, '"delta":"AAAA"')],
  ['with another delta inside something after', frame(type, rest, '"delta":"AAAA"', `"x":{${delta}}`)],
  ['with another delta inside, its own empty', frame(type, rest, `"x":{${delta}}`, '"delta":""')],
  ['with the word as a value', frame(type, rest, '"x":"delta"', delta)],
  ['with a key that ends in the word', frame(type, rest, `"x\\"delta":"${audio}"`)],
  ['with a key that ends in the word before its own', frame(type, rest, `"x\\"delta":"${audio}"`, '"delta":"AAAA"')],
  ['with the marker inside a string', frame(type, rest, '"x":"\\"delta\\":\\"AAAA\\""', delta)],
  ['with the marker inside a string after', frame(type, rest, delta, '"x":"\\"delta\\":\\"AAAA\\""')],
  ['with its type twice', frame(type, rest, delta, '"type":"other"')],
  ['of another type', frame('"type":"response.output_text.delta"', rest, delta)],
  ['of an unknown type', frame('"type":"something.new"', rest, delta)],
  ['of no type', frame(rest, delta)],
  ['without an item', frame(type, delta)],
  ['without its last brace', frame(type, rest, delta).slice(0, -1)],
  ['without its last quote', frame(type, rest, delta).slice(0, -2)],
  ['cut in the middle of its audio', frame(type, rest, delta).slice(0, -100)],
  ['with something after it', `${frame(type, rest, delta)}{}`],
  ['in an array', `[${frame(type, rest, delta)}]`],
  ['as a string', JSON.stringify(frame(type, rest, delta))],
  ['with a prototype', frame(type, rest, '"__proto__":{"delta":1}', delta)],
  ['after a byte order mark', `\uFEFF${frame(type, rest, delta)}`],
  ['of a million letters', frame(type, rest, `"delta":"${'AQID'.repeat(250_000)}"`)],
])('an audio delta %s reads as if it were parsed whole, alone and after a plain one', (_, text) => {
  readsAsParsedWhole(text)
  readsAsParsedWhole(frame(type, rest, delta), text, frame(type, rest, delta))
})

const named = (id: string, ...more: readonly string[]) =>
  frame(type, `"event_id":${id}`, rest.slice(15), ...more, delta)

test.each([
  ['another id', named('"e"'), named('"event_2"')],
  ['an id of no letters', named('"e"'), named('""')],
  ['an id with an escape', named('"e"'), named('"\\u0065"')],
  ['an id with a quote', named('"e"'), named('"e\\"f"')],
  ['an id beyond ASCII', named('"e"'), named('"é💬"')],
  ['an id with what no string may have', named('"e"'), named('"e\n"')],
  ['an id that is a number', named('"e"'), named('1')],
  ['an id that is the word', named('"e"'), named('"delta"')],
  ['its id twice', named('"a"', '"event_id":"a"'), named('"b"', '"event_id":"a"')],
  ['its id twice, the last one spaced', named('"a"', '"event_id" : "a"'), named('"b"', '"event_id" : "a"')],
  ['another id inside', named('"a"', '"x":{"event_id":"a"}'), named('"a"', '"x":{"event_id":"b"}')],
  [
    'an id inside, before its own',
    frame(type, '"x":{"event_id":"a"}', rest, delta),
    frame(type, '"x":{"event_id":"b"}', rest, delta),
  ],
  [
    'an id inside alone',
    frame(type, '"x":{"event_id":"e"}', '"item_id":"i"', delta),
    frame(type, '"x":{"event_id":"f"}', '"item_id":"i"', delta),
  ],
  ['its id behind its audio', frame(type, delta, rest), frame(type, delta, rest.replace('"e"', '"f"'))],
  ['no id', frame(type, '"item_id":"i"', delta), frame(type, '"item_id":"i"', delta)],
  ['another item', named('"e"'), named('"e"').replace('"i"', '"j"')],
  ['another item as long', named('"e"'), named('"f"').replace('"item_id":"i"', '"item_id":"k"')],
  ['other spaces', named('"e"'), named('"e"').replace('":', '": ')],
  ['a brace too many', named('"e"'), `${named('"e"')}}`],
  ['no brace', named('"e"'), named('"e"').slice(0, -1)],
  ['no audio', named('"e"'), named('"e"').replace(audio, '')],
  ['a quote in its audio', named('"e"'), named('"e"').replace('AQIDAQID', 'AQID"QID')],
  ['a field in its audio', named('"e"'), named('"e"').replace('AQIDAQIDAQIDAQID', 'AQID","x":"AQID')],
  ['a slash escaped in its audio', named('"e"'), named('"e"').replace('AQID', '\\/QID')],
  ['a quote escaped in its audio', named('"e"'), named('"e"').replace('AQID', '\\"QID')],
  ['letters that are no base64', named('"e"'), named('"e"').replace('AQID', '!é💬')],
  ['base64 that ends in its middle', named('"e"'), named('"e"').replace('AQIDAQID', 'AQ==AQID')],
])('after an audio delta, one with %s reads as if it were parsed whole', (_, first, second) => {
  readsAsParsedWhole(first, second, first, second)
})

test('after an audio delta, one with any letter of it changed reads as if it were parsed whole', () => {
  const first = named('"event_1"', '"obfuscation":"aB3"')
  const edit = fc.record({
    at: fc.integer({ min: 0, max: 180 }),
    gone: fc.nat(3),
    put: fc.oneof(
      fc.constantFrom(
        '"',
        '\\',
        '\n',
        '"audio":null,',
        ',',
        '{',
        '}',
        ':',
        'e',
        '-',
        '"delta":"',
        '"event_id":"e",',
        '": "',
        '=',
        ' ',
      ),
      fc.string({ unit: 'grapheme', maxLength: 3 }).filter(isWellFormed),
    ),
    fromEnd: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 2 }), (edits) => {
      const second = edits.reduce((text, { at, gone, put, fromEnd }) => {
        const from = fromEnd ? text.length - (at % 20) : at
        return text.slice(0, from) + put + text.slice(from + gone)
      }, first)
      fc.pre(isWellFormed(second))
      readsAsParsedWhole(first, second, first)
    }),
    { seed: 20_261, numRuns: 6_000 },
  )
})

test.each([
  ['its own, empty, beside one inside', frame(type, rest, `"x":{${delta}}`, '"d\\u0065lta":""')],
  ['its own, empty, after the plain one', frame(type, rest, delta, '"d\\u0065lta":""')],
  [
    'its own, empty, beside a key that ends in the word',
    frame(type, rest, `"x\\"delta":"${audio}"`, '"\\u0064elta":""'),
  ],
  ['its own, full, after the plain one', frame(type, rest, delta, '"d\\u0065lta":"AAAA"')],
  ['its own, full, before the plain one', frame(type, rest, '"d\\u0065lta":"AAAA"', delta)],
])('a delta whose key is spelled with escapes, %s, reads as if it were parsed whole', (_, text) =>
  readsAsParsedWhole(text),
)

test('audio comes out as the bytes that were sent', () => {
  const bytes = Uint8Array.from({ length: 9_600 }, (_, n) => (n * 31) % 256)
  const text = frame(type, rest, `"delta":"${Buffer.from(bytes).toString('base64')}"`)
  for (const event of [frameReader()(text), bytesReader()(Buffer.from(text))]) {
    expect(event).toEqual({
      type: 'response.output_audio.delta',
      event_id: 'e',
      response_id: 'r',
      item_id: 'i',
      output_index: 0,
      content_index: 0,
      delta: Buffer.from(bytes).toString('base64'),
      audio: bytes,
    })
  }
})

const space = fc.constantFrom('', '', '', '', ' ', '\n\t')
/** A string as JSON spells it, some of its letters as escapes. */
const spelled = (words: fc.Arbitrary<string>) =>
  fc
    .tuple(words, fc.integer({ min: 0, max: 40 }))
    .map(([word, escaped]) =>
      escaped < word.length
        ? JSON.stringify(word.slice(0, escaped)).slice(0, -1) +
          `\\u${word.charCodeAt(escaped).toString(16).padStart(4, '0')}` +
          JSON.stringify(word.slice(escaped + 1)).slice(1)
        : JSON.stringify(word),
    )
    .filter((text) => isWellFormed(JSON.parse(text)))
const base64 = fc.oneof(
  fc.uint8Array({ maxLength: 900 }).map((bytes) => JSON.stringify(Buffer.from(bytes).toString('base64'))),
  fc.constantFrom(
    '""',
    '"AAAA"',
    '"AA=="',
    '"A"',
    '"=AAA"',
    '"AA=A"',
    '"AA==AAAA"',
    '"A-_A"',
    '"\\u0041AAA"',
    '"AA AA"',
  ),
  fc
    .string({ unit: 'binary', maxLength: 20 })
    .filter(isWellFormed)
    .map((text) => JSON.stringify(text)),
)
const words = fc.oneof(
  fc.constantFrom('delta', '"delta":"', '"delta":"AAAA"', '\\"delta":"', 'i', '', 'é💬', 'response.output_audio.delta'),
  fc.string({ unit: 'grapheme', maxLength: 8 }).filter(isWellFormed),
)
const { value } = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    spelled(words),
    base64,
    fc.constantFrom('0', '1', '-1', '1.5', '999', '1e9', 'null', 'true', '[]', '{}', '["delta"]'),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(fc.oneof(fc.constant('"delta"'), spelled(words)), space, space, tie('value')), { maxLength: 3 })
    .map((members) => `{${members.map(([key, a, b, value]) => `${key}${a}:${b}${value}`).join(',')}}`),
}))
const own = fc.oneof(
  { weight: 8, arbitrary: fc.constant('"delta"') },
  { weight: 1, arbitrary: fc.constantFrom('"d\\u0065lta"', '"x\\"delta"', '"x"', '"Delta"') },
)
const types = fc.oneof(
  { weight: 6, arbitrary: fc.constant('"response.output_audio.delta"') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '"response.output_text.delta"',
      '"error"',
      '"new"',
      '"response.output_\\u0061udio.delta"',
      '1',
    ),
  },
)
const member = (key: fc.Arbitrary<string>, worth: fc.Arbitrary<string>) =>
  fc.tuple(key, space, space, worth).map(([name, a, b, text]) => `${name}${a}:${b}${text}`)
const members = fc
  .tuple(
    member(fc.constant('"type"'), types),
    member(fc.constant('"item_id"'), fc.constant('"i"')),
    member(own, base64),
    fc.array(fc.oneof(member(own, base64), member(spelled(words), value)), { maxLength: 3 }),
    member(
      fc.constant('"pad"'),
      fc.integer({ min: 200, max: 900 }).map((length) => JSON.stringify('p'.repeat(length))),
    ),
  )
  .chain(([type, item, delta, more, pad]) =>
    fc.shuffledSubarray([type, item, delta, ...more, pad], { minLength: 4 + more.length }),
  )
const frames = fc
  .tuple(members, space, fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(600) }))
  .map(([members, between, cut]) => {
    const text = `{${members.join(`,${between}`)}}`
    return cut === null ? text : text.slice(0, Math.max(0, text.length - cut))
  })

test('any frame reads as if it were parsed whole', () => {
  let heard = 0
  fc.assert(
    fc.property(frames, (text) => {
      if (parsedWhole(text)?.type === 'response.output_audio.delta') heard += text.length >= searchedFrom ? 1 : 0
      readsAsParsedWhole(text)
    }),
    { seed: 20_260, numRuns: 3_000 },
  )
  expect(heard, 'long audio deltas among them').toBeGreaterThan(500)
})

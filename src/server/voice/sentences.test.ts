import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sentences } from './sentences.ts'

function cut(...pieces: string[]): string[] {
  const text = sentences()
  return [...pieces.flatMap((piece) => text.push(piece)), ...text.flush()]
}

/** The sentences without the space between them. */
function split(...pieces: string[]): string[] {
  return cut(...pieces)
    .map((sentence) => sentence.replace(/\s+/g, ' ').trim())
    .filter((sentence) => sentence !== '')
}

/** Each text with `|` where it is to be cut. */
const texts = [
  'Your order has left.| It comes on Tuesday.',
  'Really?!| Yes!| Well…| Perhaps.',
  'It costs $12.50 in all.| The rate is 3.5 percent.',
  'We open at 10.30 a.m. every day.| Come at 9:15.| Or later.',
  'We close at 5 p.m.| On Sunday we are shut.',
  'Dr. Smith and Mrs. J. Doe live in St. Ives.| So do I.| Do you?',
  'Bring fruit, e.g. apples, i.e. not pears, etc. and come.',
  'Apples, pears, etc.| Then we leave.',
  'It is order No. 5 of Acme Inc. in the U.S. today.',
  'He said "Stop!"| She did not.| (Or so it seems.)| Fine.',
  'You have three options:|\n1. Wait for it.|\n2. Cancel it.|\n3. Ask again.',
  'See example.com or version 1.2.3 for more.| Bye.',
  'First line|\nsecond line|\n\nthird',
  'I have 5.| You have 6.',
  '今日は。|元気ですか？|はい！',
  'No end in sight',
]

test.each(texts)('%s', (text) => {
  const expected = text.split('|').map((sentence) => sentence.trim())
  expect(split(text.replaceAll('|', ''))).toEqual(expected)
  expect(split(...text.replaceAll('|', ''))).toEqual(expected)
})

test('a sentence is given as soon as it is whole, and an unclear end waits for what follows', () => {
  const text = sentences()
  expect(text.push('Your order has left.')).toEqual([])
  expect(text.push(' ')).toEqual(['Your order has left.'])
  expect(text.push('It comes at 5 p.m. ')).toEqual([])
  expect(text.push('on')).toEqual([])
  expect(text.push(' Tuesday. Good')).toEqual([' It comes at 5 p.m. on Tuesday.'])
  expect(text.flush()).toEqual([' Good'])
  expect(text.flush()).toEqual([])
  expect(text.push('Again. ')).toEqual(['Again.'])
})

describe('a sentence that will not end', () => {
  test('is cut at a comma', () => {
    const long = `${'many words that go on and on '.repeat(7)}at last, ${'and then some more of them '.repeat(6)}end.`
    const [first, ...others] = split(long)
    expect(first).toMatch(/at last,$/)
    expect([first, ...others].join(' ')).toBe(long)
  })

  test('or at a space, or anywhere', () => {
    for (const long of ['word '.repeat(200), 'x'.repeat(1_000), '5 p.m. '.repeat(100)]) {
      for (const sentence of split(long)) expect(sentence.length).toBeLessThanOrEqual(280)
      expect(split(long).join('').replaceAll(' ', '')).toBe(long.replaceAll(' ', ''))
    }
  })
})

test('nothing is lost, and the cuts do not depend on the pieces', () => {
  const words = fc.constantFrom(
    'Dr.',
    'p.m.',
    '12.50',
    'word',
    'word.',
    'Word',
    'e.g.',
    '1.',
    '"no!"',
    '…',
    '\n',
    '?',
    ' ',
    '。',
    'x'.repeat(90),
  )
  fc.assert(
    fc.property(fc.array(words, { maxLength: 30 }), fc.array(fc.nat(12)), (said, cuts) => {
      const text = said.join(' ')
      const whole = split(text)
      expect(cut(text).join('')).toBe(text)
      const pieces: string[] = []
      let rest = text
      for (const length of cuts) {
        pieces.push(rest.slice(0, length))
        rest = rest.slice(length)
      }
      expect(split(...pieces, rest)).toEqual(whole)
    }),
    { numRuns: 300 },
  )
})

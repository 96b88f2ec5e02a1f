import fc from 'fast-check'
import { expect, test } from 'vitest'
import { numbersIn } from './numbers.ts'

test.each([
  ['one two three four five', '12345'],
  ['oh one five one', '0151'],
  ['zero zero seven', '007'],
  ['oh hello', ''],
  ['twenty one', '21'],
  ['twenty one fifty', '2150'],
  ['twenty twenty six', '2026'],
  ['nineteen eighty four', '1984'],
  ['twenty oh five', '2005'],
  ['a hundred', '100'],
  ['a hundred and twenty three', '123'],
  ['one hundred five', '105'],
  ['two thousand and five', '2005'],
  ['three hundred thousand', '300000'],
  ['one million two hundred thousand and one', '1200001'],
  ['double five', '55'],
  ['one triple two nine', '12229'],
  ['three point five', '3.5'],
  ['zero point oh five', '0.05'],
  ['three point one four one five', '3.1415'],
  ['two and a half', '2.5'],
  ['minus four', '-4'],
  ['minus three point five', '-3.5'],
  ['negative twenty', '-20'],
  ['five and seven', '5 7'],
  ['two adults and three children', '2 3'],
  ['salt and pepper', ''],
  ['the third', '3'],
  ['twenty first', '21'],
  ['one hundred and fifth', '105'],
  ['the 2nd', '2'],
  ['one second', ''],
  ['two seconds', '2'],
  ['which one', ''],
  ['one moment', ''],
  ['1,250', '1250'],
  ['-3.5', '-3.5'],
  ['5 million', '5000000'],
  ['constructor toString', ''],
])('"%s" is %s', (said, expected) => {
  const found = numbersIn(said.split(' '))
  expect(found.map(({ text }) => text).join(' ')).toBe(expected)
})

test('it knows where each was said', () => {
  expect(numbersIn('table for twenty one on the third'.split(' '))).toEqual([
    { from: 2, to: 4, text: '21', ordinal: false },
    { from: 6, to: 7, text: '3', ordinal: true },
  ])
})

const names = 'zero one two three four five six seven eight nine'.split(' ')
const teens = 'ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(' ')
const tens = '. . twenty thirty forty fifty sixty seventy eighty ninety'.split(' ')

/** As a person counts. */
function inWords(value: number): string {
  if (value < 10) return names[value]!
  if (value < 20) return teens[value - 10]!
  if (value < 100) return value % 10 ? `${tens[Math.floor(value / 10)]} ${names[value % 10]}` : tens[value / 10]!
  const [scale, name] =
    value < 1_000 ? [100, 'hundred'] : value < 1_000_000 ? [1_000, 'thousand'] : [1_000_000, 'million']
  const [many, rest] = [Math.floor(value / scale), value % scale]
  const tail = rest === 0 ? '' : rest < 100 ? ` and ${inWords(rest)}` : ` ${inWords(rest)}`
  return `${inWords(many)} ${name}${tail}`
}

test('any number that is counted in words is that number', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999 }), (value) => {
      expect(numbersIn(inWords(value).split(' ')).map(({ text }) => text)).toEqual([String(value)])
    }),
    { seed: 1, numRuns: 500 },
  )
})

test('any digits that are told one by one are those digits', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 20 }), (value) => {
      fc.pre(value.length > 1 || value[0] !== 1)
      const told = value.map((digit) => names[digit]!)
      expect(numbersIn(told).map(({ text }) => text)).toEqual([value.join('')])
    }),
    { seed: 1, numRuns: 300 },
  )
})

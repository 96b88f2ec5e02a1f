import fc from 'fast-check'
import { expect, test } from 'vitest'
import { handedTo, tell } from './tell.ts'

test.each<readonly [output: unknown, ...sentences: string[]]>([
  ['It is sunny.', 'It is sunny.'],
  ['It is sunny', 'It is sunny.'],
  ['"quoted text"', 'quoted text.'],
  ['', 'Done.'],
  ['42', 'It is 42.'],
  ['true', 'yes.'],
  ['null', 'There is nothing.'],
  ['[]', 'There is nothing.'],
  ['{}', 'Done.'],
  ['{"ok":true}', 'Done.'],
  ['{"not json', '{"not json.'],
  [
    { order: '12345', status: 'shipped', arrival_day: 'Tuesday' },
    'The order is 1 2 3 4 5.',
    'The status is shipped.',
    'The arrival day is Tuesday.',
  ],
  [{ arrivalDay: 'Tuesday' }, 'The arrival day is Tuesday.'],
  [{ arrival: '2026-05-01' }, 'The arrival is 2026-05-01.'],
  [{ temperature_c: 21 }, 'The temperature is 21 degrees Celsius.'],
  [{ temperatureC: 1 }, 'The temperature is 1 degree Celsius.'],
  [{ humidity_percent: 40, wind_kmh: 12.5 }, 'The humidity is 40 percent.', 'The wind is 12.5 kilometres an hour.'],
  [{ price_usd: '20' }, 'The price is 20 dollars.'],
  [{ price: 12500 }, 'The price is 12500.'],
  [{ order: 12345 }, 'The order is 1 2 3 4 5.'],
  [{ year: 2026 }, 'The year is 2026.'],
  [{ guests: 4 }, 'There are 4 guests.'],
  [{ guests: 1 }, 'There is 1 guest.'],
  [{ confirmed: true }, 'Confirmed: yes.'],
  [{ is_open: false }, 'Open: no.'],
  [{ tracking_number: null }, 'There is no tracking number.'],
  [{ note: '' }, 'There is no note.'],
  [{ orders: [] }, 'There are no orders.'],
  [{ colors: ['red', 'green', 'blue'] }, 'The colors are red, green and blue.'],
  [{ color: ['red'] }, 'The color is red.'],
  [['red', 'blue'], 'There are 2: red and blue.'],
  [['red'], 'It is red.'],
  [
    { address: { street: 'Main Street 5', city: 'Berlin' } },
    'The address: street is Main Street 5 and city is Berlin.',
  ],
  [
    {
      orders: [
        { order: '12345', status: 'shipped' },
        { order: '678', status: 'open' },
      ],
    },
    'There are 2 orders.',
    'Number 1: order is 1 2 3 4 5 and status is shipped.',
    'Number 2: order is 678 and status is open.',
  ],
  [[{ status: 'shipped' }], 'The status is shipped.'],
  [{ message: 'Your table is booked.' }, 'Your table is booked.'],
  [[{ type: 'text', text: 'It is sunny.' }], 'It is sunny.'],
  [{ error: 'There is no order 1.' }, "I'm sorry. There is no order 1."],
  [{ error: { message: 'no such order' } }, "I'm sorry. No such order."],
  [{ error: true }, "I'm sorry. That did not work."],
  [{ error: null, status: 'open' }, 'The status is open.'],
  [{ success: false, message: 'The shop is closed' }, "I'm sorry. The shop is closed."],
  [{ success: true, booking: 'B7' }, 'The booking is B7.'],
  ['The tool failed: no connection', "I'm sorry. No connection."],
  ['Error: no connection', "I'm sorry. No connection."],
])('%j is told as %j', (output, ...sentences) => {
  expect(tell(typeof output === 'string' ? output : JSON.stringify(output))).toEqual(sentences)
})

test('the output of a handoff names the agent that it went to', () => {
  expect(handedTo('{"assistant":"Billing"}')).toBe('Billing')
  expect(handedTo('{"assistant": "Billing"}')).toBe('Billing')
  expect(handedTo('{"status":"open"}')).toBeUndefined()
  expect(handedTo('{"assistant":')).toBeUndefined()
})

test('whatever a tool tells, there is something to say, and it ends', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.jsonValue().map((value) => JSON.stringify({ value })),
      ),
      (output) => {
        const sentences = tell(output)
        expect(sentences.length).toBeGreaterThan(0)
        for (const sentence of sentences) expect(sentence).toMatch(/[.!?…:。！？]["”')\]]?$/)
      },
    ),
    { seed: 1, numRuns: 1_000 },
  )
})

import { expect, onTestFinished, test } from 'vitest'
import { type Lines, lines } from './lines.ts'

const tables: readonly (readonly [string, (lines: Lines) => void, string])[] = [
  [
    'each line has its time, and who it is about',
    ({ tell }) => {
      tell('line', 'live')
      tell('caller', '(speaks)')
    },
    '    1.00 s  line    live\n    2.00 s  caller  (speaks)\n',
  ],
  [
    'the words of one sentence stand in one line, with the time of the first',
    ({ says }) => {
      for (const words of [' It', ' is', ' late', '.']) says('agent', words)
    },
    '    1.00 s  agent   It is late.',
  ],
  [
    'each sentence begins a line',
    ({ says }) => {
      for (const words of ['It is', ' late.', ' Goodbye.']) says('agent', words)
    },
    '    1.00 s  agent   It is late.\n    2.00 s  agent   Goodbye.',
  ],
  [
    'who is spoken into goes on in a line of their own',
    ({ says }) => {
      says('agent', 'It is')
      says('caller', 'Wait')
      says('agent', ' late.')
    },
    '    1.00 s  agent   It is\n    2.00 s  caller  Wait\n    3.00 s  agent   late.',
  ],
  [
    'what the far end sends can neither move the cursor nor begin a line',
    ({ says, tell }) => {
      says('agent', '\x1b[2JIt is\r\n')
      says('agent', '\u009b1Alate.')
      tell('tool', '→ a\nb')
    },
    '    1.00 s  agent    [2JIt is  1Alate.\n    2.00 s  tool    → a b\n',
  ],
  [
    'a line that lasts is ended by the next',
    ({ lasts, tell, end }) => {
      lasts('caller', '(speaks)')
      tell('line', 'closed')
      end()
      end()
    },
    '    1.00 s  caller  (speaks)\n    2.00 s  line    closed\n',
  ],
]

test.each(tables)('%s', (_, print, text) => {
  let seconds = 0
  let printed = ''
  print(
    lines(
      () => ++seconds,
      (more) => (printed += more),
    ),
  )
  expect(printed).toBe(text)
})

test('what lasts is seen to last: dots are added to its line', async () => {
  const dots = await new Promise<string>((done) => {
    let printed = ''
    const { lasts, end } = lines(
      () => 0,
      (more) => {
        printed += more
        if (more === '.') done(printed)
      },
    )
    onTestFinished(end)
    lasts('tool', 'look_up()')
  })
  expect(dots).toBe('    0.00 s  tool    look_up().')
})

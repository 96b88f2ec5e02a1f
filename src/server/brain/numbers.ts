/** Numbers as people say them: "one two three" and "a hundred and twenty-three". */

const digits: Readonly<Record<string, number>> = {
  zero: 0,
  oh: 0,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
}
const teens: Readonly<Record<string, number>> = {
  ten: 10,
  eleven: 11,
  twelve: 12,
  thirteen: 13,
  fourteen: 14,
  fifteen: 15,
  sixteen: 16,
  seventeen: 17,
  eighteen: 18,
  nineteen: 19,
}
const tens: Readonly<Record<string, number>> = {
  twenty: 20,
  thirty: 30,
  forty: 40,
  fifty: 50,
  sixty: 60,
  seventy: 70,
  eighty: 80,
  ninety: 90,
}
const scales: Readonly<Record<string, number>> = { hundred: 100, thousand: 1_000, million: 1_000_000 }

/** Every number in `words`, as digits, in order. Words that follow each other are one number: told digit by digit, or counted. */
export function numbersIn(words: readonly string[]): readonly string[] {
  const found: string[] = []
  let run: string[] = []
  const close = () => {
    while (run.at(-1) === 'and') run.pop()
    if (run.length) found.push(worth(run))
    run = []
  }
  for (const word of words) {
    if (/^\d+$/.test(word) || isNumber(word)) run.push(word)
    else if (word === 'and' && run.length) run.push(word)
    else close()
  }
  close()
  return found
}

function isNumber(word: string): boolean {
  return [digits, teens, tens, scales].some((names) => Object.hasOwn(names, word))
}

function worth(run: readonly string[]): string {
  const isCounted = run.some((word) => Object.hasOwn(scales, word))
  return isCounted ? String(counted(run)) : spelled(run)
}

function counted(run: readonly string[]): number {
  let total = 0
  let part = 0
  for (const word of run) {
    if (word === 'and') continue
    const scale = scales[word]
    if (scale === 100) part = Math.max(part, 1) * 100
    else if (scale) {
      total += Math.max(part, 1) * scale
      part = 0
    } else part += digits[word] ?? teens[word] ?? tens[word] ?? Number(word)
  }
  return total + part
}

/** Digit by digit, or in groups: "four two seven", "twenty one fifty". */
function spelled(run: readonly string[]): string {
  let text = ''
  run.forEach((word, n) => {
    const next = digits[run[n + 1] ?? '']
    const before = tens[run[n - 1] ?? '']
    if (tens[word] !== undefined) text += next ? String(tens[word] / 10) : String(tens[word])
    else if (before !== undefined && digits[word]) text += String(digits[word])
    else if (word !== 'and') text += String(digits[word] ?? teens[word] ?? word)
  })
  return text
}

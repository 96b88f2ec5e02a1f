/** Cuts a growing text into sentences to speak. The same sentences come however the text is cut into pieces. */
export interface Sentences {
  /** Takes the next piece of the text and gives the sentences that are now whole, in order. Joined, they are the text. */
  push(text: string): string[]
  /** The text has ended: gives what is left. The next `push` begins a new text. */
  flush(): string[]
}

/** A sentence that will not end is cut at its last comma or space before this many characters, so that speech can begin. */
const longest = 280

/** After these a sentence goes on, whatever follows. */
const goesOn = new Set('dr mr mrs ms prof sr jr st mt vs no nr fig vol approx dept est e.g i.e cf'.split(' '))

/** After these it goes on unless a capital follows: they also stand at the end. */
const mayEnd = new Set('etc inc ltd co corp a.m p.m am pm u.s u.k e.u al min max hr hrs'.split(' '))

/** A mark that may end a sentence, with the quotes and brackets that close after it. */
const mark = /(?:[.!?…]+["'”’)\]]*)(?=\s)|[。！？]["”’」』）]*|\n+/gu

/** Sentences end at `.`, `!`, `?`, `…` and a space, at a line's end, and at the full stops of Chinese and Japanese. */
export function sentences(): Sentences {
  let rest = ''

  function push(text: string): string[] {
    rest += text
    const whole: string[] = []
    for (let end = endOf(rest); end > 0; end = endOf(rest)) {
      whole.push(rest.slice(0, end))
      rest = rest.slice(end)
    }
    return whole
  }

  /** A line's end, which is taken away again, tells that nothing follows. */
  function flush(): string[] {
    const whole = [...push('\n'), rest]
    rest = ''
    const last = whole.findLastIndex((text) => text !== '')
    return whole.with(last, whole[last]!.slice(0, -1)).filter((text) => text !== '')
  }

  return { push, flush }
}

/** Where the first sentence ends, or 0 when that cannot be told yet. The space before it belongs to it. */
function endOf(text: string): number {
  const begin = text.length - text.trimStart().length
  const length = lengthOf(text.slice(begin))
  return length && begin + length
}

function lengthOf(text: string): number {
  for (const found of text.matchAll(mark)) {
    const end = found.index + found[0].length
    if (end > longest) break
    const answer = ends(
      text.slice(0, found.index),
      found[0],
      text.slice(end).trimStart()[0],
      text.slice(end).includes('\n'),
    )
    if (answer === 'yes') return end
    if (answer === 'wait') return text.length > longest ? cut(text) : 0
  }
  return text.length > longest ? cut(text) : 0
}

/** Whether the sentence `said` ends at its mark, which a space and `next` follow; `wait` when that hangs on what follows. */
function ends(said: string, mark: string, next: string | undefined, lineEnds: boolean): 'yes' | 'no' | 'wait' {
  if (mark !== '.') return 'yes'
  const word = (/[\p{L}\p{N}.]+$/u.exec(said)?.[0] ?? '').toLowerCase()
  const listNumber = /^\s*\d+$/.test(said)
  const initial = /(?:^|\s)\p{Lu}$/u.test(said) && !/\bI$/.test(said)
  if (listNumber || initial || goesOn.has(word)) return 'no'
  if (!mayEnd.has(word)) return 'yes'
  if (next === undefined) return lineEnds ? 'yes' : 'wait'
  return /\p{Ll}|[,;:)\d]/u.test(next) ? 'no' : 'yes'
}

function cut(text: string): number {
  const head = text.slice(0, longest)
  const comma = Math.max(...[', ', '; ', ': ', ' – ', ' — '].map((pause) => head.lastIndexOf(pause)))
  const space = Math.max(comma + 1, comma > longest / 3 ? 0 : head.lastIndexOf(' '))
  return space > 0 ? space : longest
}

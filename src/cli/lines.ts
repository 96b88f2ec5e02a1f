/**
 * Lines of a call, each with its time and who it is about. They only ever grow, so that they read the same on a terminal,
 * through a pipe and in a file.
 */
export interface Lines {
  tell(who: string, words: string): void
  /** What takes its time: a dot is added for every second until the next line. */
  lasts(who: string, words: string): void
  /** What somebody says, as it comes: one line a sentence. */
  says(who: string, words: string): void
  /** Ends the last line. Called again, it does nothing. */
  end(): void
}

const dotMs = 1_000

/** `seconds`: since the call began. */
export function lines(seconds: () => number, write: (text: string) => unknown): Lines {
  let speaker: string | null = null
  let said = ''
  let isOpen = false
  let dots: NodeJS.Timeout | undefined

  function begin(who: string, words: string): void {
    end()
    write(`  ${seconds().toFixed(2).padStart(6)} s  ${who.padEnd(7)} ${plain(words)}`)
    isOpen = true
  }
  function end(): void {
    clearInterval(dots)
    if (isOpen) write('\n')
    isOpen = false
    speaker = null
  }

  return {
    tell(who, words) {
      begin(who, words)
      end()
    },
    lasts(who, words) {
      begin(who, words)
      dots = setInterval(() => write('.'), dotMs).unref()
    },
    says(who, words) {
      const goesOn = speaker === who && !/[.!?]["')]?\s*$/.test(said)
      if (goesOn) write(plain(words))
      else begin(who, words.trimStart())
      said = goesOn ? said + words : words
      speaker = who
    },
    end,
  }
}

/** Words of a far end are not to move the cursor. */
function plain(words: string): string {
  return words.replace(/\p{Cc}+/gu, ' ')
}

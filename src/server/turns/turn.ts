/** One turn that is being said, and the ears that follow it. */
import type { Ears, Listening } from '../senses.ts'
import { listener, type Piece, wider } from './sound.ts'

export interface Turn {
  readonly item_id: string
  /** The ears have room for it: what it heard until now is told them. */
  begin(): void
  hear(piece: Piece): void
  /** The turn is over. Resolves with its words; rejects with what the ears say is wrong. */
  finish(): Promise<string>
  /** Tells the words that the ears have by now, and each further piece as they have it. */
  follow(listener: (delta: string) => void): void
  /** Settles when nothing is left of it, if the ears can tell. Never rejects. */
  cancel(): Promise<void>
}

/** Ears may be somebody else's: what they throw fails the words of this turn, and nothing besides. */
export function turnOf(ears: Ears, how: Parameters<Ears['listen']>[0], item_id: string): Turn {
  const toEars = listener(ears.rate, wider)
  const held: Piece[] = []
  let began = () => {}
  const hasBegun = new Promise<void>((resolve) => {
    began = resolve
  })
  const untold: string[] = []
  let tell = (delta: string): unknown => untold.push(delta)
  let listening: Listening | undefined
  let failure: { readonly error: unknown } | null = null

  function attempt(ask: () => void): void {
    if (failure) return
    try {
      ask()
    } catch (error) {
      failure = { error }
      void cancel()
    }
  }

  async function cancel(): Promise<void> {
    try {
      await listening?.cancel()
    } catch {
      // It is of no interest any more.
    }
  }

  const hear = (piece: Piece) => attempt(() => listening!.hear(toEars.samples(piece)))

  return {
    item_id,
    begin() {
      if (listening || failure) return
      attempt(() => {
        listening = ears.listen(how)
        listening.onPartial = (delta) => tell(delta)
      })
      for (const piece of held.splice(0)) hear(piece)
      began()
    },
    hear(piece) {
      if (listening || failure) hear(piece)
      else held.push(piece)
    },
    async finish() {
      await hasBegun
      attempt(() => listening!.hear(toEars.flush()))
      if (failure) throw failure.error
      return listening!.finish()
    },
    follow(next) {
      for (const delta of untold.splice(0)) next(delta)
      tell = next
    },
    cancel,
  }
}

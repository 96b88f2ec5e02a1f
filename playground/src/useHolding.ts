import { useRealtime } from 'parley-voice/react'
import { useState } from 'react'

interface Holding {
  readonly isHeld: boolean
  begin(): void
  end(): void
}

/** Push to talk: a turn is taken while something is held. */
export function useHolding(isPossible: boolean): Holding {
  const { session } = useRealtime()
  const [isHeld, setHeld] = useState(false)
  return {
    isHeld: isHeld && isPossible,
    begin() {
      if (!isPossible) return
      session.beginTurn()
      setHeld(true)
    },
    end() {
      if (!isHeld) return
      setHeld(false)
      session.endTurn()
    },
  }
}

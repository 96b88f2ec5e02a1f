import { type RefObject, useEffect, useInsertionEffect, useRef } from 'react'

interface Shortcuts {
  readonly press: (key: string) => void
  readonly release: (key: string) => void
}

/**
 * Keys that are pressed while what they are for is in view, while nothing is being written, and that no control has a use
 * for. Escape always counts there.
 */
export function useShortcuts(place: RefObject<HTMLElement | null>, shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts)
  useInsertionEffect(() => {
    latest.current = shortcuts
  })
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !isFree(event)) return
      if (!place.current?.checkVisibility()) return
      if (event.key === ' ' || event.key === '/') event.preventDefault()
      latest.current.press(event.key)
    }
    const release = (event: KeyboardEvent) => latest.current.release(event.key)
    document.addEventListener('keydown', press)
    document.addEventListener('keyup', release)
    return () => {
      document.removeEventListener('keydown', press)
      document.removeEventListener('keyup', release)
    }
  }, [place])
}

/** Space presses: it is free on the page, where nothing is but words, and on a choice that was made already. */
const restsFor = 'body, fieldset, [role=log], input[type=radio]:checked'

function isFree({ key, target }: KeyboardEvent): boolean {
  if (key === 'Escape' || !(target instanceof Element)) return true
  if (target.closest('input:not([type=radio]), textarea, select')) return false
  return key !== ' ' || target.matches(restsFor)
}

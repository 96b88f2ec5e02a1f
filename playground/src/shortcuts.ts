import { useEffect, useInsertionEffect, useRef } from 'react'

interface Shortcuts {
  readonly press: (key: string) => void
  readonly release: (key: string) => void
}

/** Keys that are pressed while nothing is being written, and that no control has a use for. Escape always counts. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts)
  useInsertionEffect(() => {
    latest.current = shortcuts
  })
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !isFree(event)) return
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
  }, [])
}

function isFree({ key, target }: KeyboardEvent): boolean {
  if (key === 'Escape') return true
  if (!(target instanceof Element)) return true
  if (target.closest('input:not([type=radio]), textarea, select')) return false
  // Space has no use for a choice that was made already.
  return key !== ' ' || !target.closest('button, summary, input:not([type=radio]:checked)')
}

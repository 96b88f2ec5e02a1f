import { type RefObject, useEffect, useRef, useState } from 'react'

interface Following {
  readonly box: RefObject<HTMLDivElement | null>
  /** Somebody reads further up. */
  readonly isAway: boolean
  toEnd(): void
}

/** A box that scrolls along with what is said, unless somebody reads further up. What one writes oneself comes into view. */
export function useFollowing(): Following {
  const ref = useRef<HTMLDivElement>(null)
  const [isAway, setIsAway] = useState(false)
  const toEnd = () => {
    const box = ref.current
    if (box) box.scrollTop = box.scrollHeight
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: it looks at the box, which stays
  useEffect(() => {
    const box = ref.current!
    let isAtEnd = true
    const look = () => {
      // A page that is hidden says that it is at its beginning, and at its end.
      if (box.clientHeight === 0) return
      isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 48
      setIsAway(!isAtEnd)
    }
    const grown = new MutationObserver((changes) => {
      if (isAtEnd || changes.some(isWritten)) toEnd()
    })
    const resized = new ResizeObserver(() => isAtEnd && toEnd())
    box.addEventListener('scroll', look, { passive: true })
    // What a tool answered is read where it was opened.
    box.addEventListener('toggle', look, { capture: true })
    grown.observe(box, { childList: true, subtree: true, characterData: true })
    resized.observe(box)
    return () => {
      grown.disconnect()
      resized.disconnect()
      box.removeEventListener('scroll', look)
      box.removeEventListener('toggle', look, { capture: true })
    }
  }, [])
  return { box: ref, isAway, toEnd }
}

function isWritten({ addedNodes }: MutationRecord): boolean {
  return [...addedNodes].some((node) => node instanceof Element && node.matches('[data-written]'))
}

import { useCallback, useEffect, useInsertionEffect, useRef } from 'react'
import { useStore } from './provider.ts'

type Styled = Element & ElementCSSInlineStyle

/**
 * How loud the user (`input`) or the agent (`output`) is, from 0 to 1, at each frame and without rendering: as the CSS
 * variable `--audio-level` of the element that the returned ref is given to, and as calls of `listener`.
 */
export function useAudioLevel(
  which: 'input' | 'output' = 'input',
  listener?: (level: number) => void,
): (element: Styled | null) => void {
  const { levels } = useStore()
  const element = useRef<Styled | null>(null)
  const latest = useRef(listener)
  useInsertionEffect(() => {
    latest.current = listener
  })
  useEffect(
    () =>
      levels.listen(({ [which]: level }) => {
        element.current?.style.setProperty('--audio-level', level.toFixed(3))
        latest.current?.(level)
      }),
    [levels, which],
  )
  return useCallback((one) => {
    element.current = one
  }, [])
}

import { useAudioLevel } from 'parley-voice/react'
import type { ReactNode } from 'react'

/** Bars that rise with the voice. The level is a CSS variable: React does not render for it. */
export function Meter({ which }: { readonly which: 'input' | 'output' }): ReactNode {
  const level = useAudioLevel(which)
  return (
    <span className="meter" data-which={which} ref={level} aria-hidden="true">
      <i />
      <i />
      <i />
      <i />
      <i />
    </span>
  )
}

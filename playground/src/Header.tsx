import { useRealtime } from 'parley-voice/react'
import type { KeyboardEvent, ReactNode } from 'react'
import type { Config } from './server.ts'

export type View = 'conversation' | 'inspector'

interface HeaderProps {
  readonly view: View
  readonly show: (view: View) => void
  readonly config: Config
}

const views: readonly (readonly [View, string])[] = [
  ['conversation', 'Conversation'],
  ['inspector', 'Inspector'],
]

export function Header({ view, show, config }: HeaderProps): ReactNode {
  const { status } = useRealtime()
  /** Arrows move between the tabs, as in any tab list. */
  const move = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return
    const next = view === 'conversation' ? 'inspector' : 'conversation'
    show(next)
    document.getElementById(`tab-${next}`)?.focus()
  }
  return (
    <header className="header">
      <h1 className="brand">
        <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
          <path d="M2 6.5v3M6 3v10M10 5v6M14 7v2" />
        </svg>
        Parley
      </h1>
      <p className="behind" title={config.model}>
        <span className="dot" data-status={status} aria-hidden="true" />
        {config.provider === 'local' ? 'On this machine' : config.provider}
      </p>
      <div className="tabs" role="tablist" aria-label="View" onKeyDown={move}>
        {views.map(([name, label]) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            aria-selected={view === name}
            aria-controls={`panel-${name}`}
            tabIndex={view === name ? 0 : -1}
            onClick={() => show(name)}
          >
            {label}
          </button>
        ))}
      </div>
    </header>
  )
}

import { useState } from 'react'

export interface Settings {
  readonly example: string
  readonly transport: 'auto' | 'webrtc' | 'websocket'
  /** Who ends a turn: the far end hears it, or a key is held. */
  readonly turns: 'automatic' | 'push-to-talk'
}

const name = 'parley-playground'
const usual: Settings = { example: 'orders', transport: 'auto', turns: 'automatic' }

/** Kept in the browser, where it lets us. */
export function useSettings(): readonly [Settings, (change: Partial<Settings>) => void] {
  const [settings, setSettings] = useState(read)
  const change = (change: Partial<Settings>) => {
    const next = { ...settings, ...change }
    setSettings(next)
    try {
      localStorage.setItem(name, JSON.stringify(next))
    } catch {
      // It is kept for this visit.
    }
  }
  return [settings, change]
}

function read(): Settings {
  try {
    return { ...usual, ...JSON.parse(localStorage.getItem(name) ?? '{}') }
  } catch {
    return usual
  }
}

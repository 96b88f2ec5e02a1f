import type { ReactNode } from 'react'

/** Every event of the call on a time line. */
export function Inspector(): ReactNode {
  return <p className="quiet">Nothing has happened yet.</p>
}

import { type ReactNode, useRef, useSyncExternalStore } from 'react'
import type { LiveLog } from './log.ts'
import { download, type Opened } from './opening.ts'

interface FilesProps {
  readonly live: LiveLog
  /** The call before it. */
  readonly before: LiveLog | null
  readonly opened: Opened | null
  readonly problem: string | null
  readonly read: (file: File) => Promise<void>
  /** Opens what is in no file. */
  readonly show: (name: string, text: string) => void
  readonly back: () => void
  readonly dismiss: () => void
}

/** Which call it is, and how it is saved or another opened. */
export function Files({ live, before, opened, problem, read, show, back, dismiss }: FilesProps): ReactNode {
  const picker = useRef<HTMLInputElement>(null)
  const isEmpty = useSyncExternalStore(live.subscribe, () => live.entries.length === 0)
  return (
    <div className="files">
      <div className="files-bar">
        <p className="which">
          {opened ? (
            <>
              <strong>{opened.name}</strong>
              <span className="quiet">{[opened.header.agent, dated(opened.header.at)].filter(Boolean).join(', ')}</span>
            </>
          ) : (
            <strong>This call</strong>
          )}
        </p>
        {opened && (
          <button type="button" onClick={back}>
            Back to this call
          </button>
        )}
        {!opened && (
          <button type="button" disabled={isEmpty} onClick={() => show('This call, until now', live.recorder.text())}>
            Step through
          </button>
        )}
        {before && (
          <button type="button" onClick={() => show('The call before', before.recorder.text())}>
            The call before
          </button>
        )}
        {opened?.unsaved !== null && (
          <button
            type="button"
            disabled={!opened && isEmpty}
            onClick={() => download(nameOf(), opened?.unsaved ?? live.recorder.text())}
          >
            Save this call
          </button>
        )}
        <button type="button" onClick={() => picker.current?.click()}>
          Open a call
        </button>
        <input
          ref={picker}
          type="file"
          accept=".jsonl,application/x-ndjson"
          aria-label="A saved call"
          hidden
          onChange={({ target }) => {
            const [file] = target.files ?? []
            target.value = ''
            if (file) void read(file)
          }}
        />
      </div>
      {problem && (
        <div className="trouble" role="alert">
          <p>{problem}</p>
          <button type="button" onClick={dismiss}>
            Dismiss
          </button>
        </div>
      )}
      {opened?.notices.map(({ what, lines }) => (
        <details className="notice" key={what}>
          <summary>{what}</summary>
          {lines.map((line) => (
            <p key={line}>{line}</p>
          ))}
        </details>
      ))}
    </div>
  )
}

function nameOf(): string {
  return `call-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.jsonl`
}

function dated(at: string): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? at : date.toLocaleString()
}

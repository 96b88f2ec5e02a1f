import { useAudioLevel, useRealtime } from 'parley-voice/react'
import { type DragEvent, type ReactNode, useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { flushSync } from 'react-dom'
import { Events } from './Events.tsx'
import { Files } from './Files.tsx'
import { Levels } from './Levels.tsx'
import { type LiveLog, type Log, liveLogOf } from './log.ts'
import { type Opened, open } from './opening.ts'
import { StateView } from './StateView.tsx'
import { Stepper } from './Stepper.tsx'
import { Turns } from './Turns.tsx'
import { Usage } from './Usage.tsx'

const views = ['Events', 'Turns', 'Levels', 'Usage', 'State'] as const

/** What happened in the call, and how long it took: of the one that goes on, or of one from a file. */
export function Inspector(): ReactNode {
  const { session } = useRealtime()
  const live = liveLogOf(session)
  useLevels(live)
  const before = useBefore(live)
  const [opened, setOpened] = useState<Opened | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [isDragged, setIsDragged] = useState(false)
  const [view, setView] = useState<(typeof views)[number]>('Events')
  const root = useRef<HTMLDivElement>(null)
  const search = useRef<HTMLInputElement>(null)
  const isShown = useIsShown(root)
  const shown: Log = opened?.log ?? live
  useSlash(root, search, () => setView('Events'))

  const show = (name: string, text: string, isFile: boolean) => {
    try {
      setOpened(open(name, text, isFile))
      setProblem(null)
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  const read = async (file: File) => show(file.name, await file.text(), true)
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setIsDragged(false)
    const [file] = event.dataTransfer.files
    if (file) read(file).catch((error) => setProblem(`${file.name} cannot be read: ${error.message}`))
  }
  const over = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes('Files')) return
    event.preventDefault()
    setIsDragged(true)
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a file may be dropped anywhere; the button does the same
    <div
      ref={root}
      className="inspection"
      data-view={view}
      data-dragged={isDragged}
      onDragOver={over}
      onDragLeave={(event) => event.currentTarget === event.target && setIsDragged(false)}
      onDrop={drop}
    >
      <Files
        live={live}
        before={before}
        opened={opened}
        problem={problem}
        read={read}
        show={(name, text) => show(name, text, false)}
        back={() => {
          setOpened(null)
          setProblem(null)
        }}
        dismiss={() => setProblem(null)}
      />
      <fieldset className="views segments" aria-label="What to look at">
        {views.map((name) => (
          <button key={name} type="button" aria-pressed={view === name} onClick={() => setView(name)}>
            {name}
          </button>
        ))}
      </fieldset>
      {isShown && <Views key={keyOf(shown)} log={shown} live={live} opened={opened} search={search} />}
    </div>
  )
}

interface ViewsProps {
  readonly log: Log
  readonly live: LiveLog
  readonly opened: Opened | null
  readonly search: { readonly current: HTMLInputElement | null }
}

/** The same views for a call that goes on and for one that was opened; this one can be gone through. */
function Views({ log, live, opened, search }: ViewsProps): ReactNode {
  useSyncExternalStore(log.subscribe, () => log.version)
  const last = (opened?.steps.length ?? 0) - 1
  const [selected, setSelected] = useState<number | null>(opened && last >= 0 ? last : null)
  const at = opened ? opened.steps[selected ?? -1] : undefined
  const state = opened ? (at?.state ?? opened.begin) : live.state
  const before = opened && selected !== null ? (opened.steps[selected - 1]?.state ?? opened.begin) : null
  const goTo = useCallback(
    (ms: number) => {
      const entry = log.entries.find(({ at }) => at >= ms) ?? log.entries.at(-1)
      if (entry) setSelected(entry.n)
    },
    [log],
  )
  return (
    <>
      {opened && <Stepper opened={opened} step={selected ?? 0} go={setSelected} />}
      <Events log={log} opened={opened} selected={selected} select={setSelected} search={search} />
      <div className="beside">
        {opened && <StateView state={state} before={before} at={at?.at ?? log.begin} />}
        <Turns
          turns={log.turns}
          count={log.turns.length}
          begin={log.begin}
          isOwn={!opened || opened.unsaved !== null}
          goTo={goTo}
        />
        {!opened && <StateView state={state} before={null} at={performance.now()} />}
        <Levels log={log} isLive={!opened} now={at?.at ?? null} />
        <Usage usage={state.usage} model={log.model ?? state.config.model ?? null} />
      </div>
    </>
  )
}

/** Another call begins with views of its own. */
const keys = new WeakMap<Log, number>()
let given = 0
function keyOf(log: Log): number {
  if (!keys.has(log)) keys.set(log, ++given)
  return keys.get(log)!
}

/** The call before this one, where anything happened in it. */
function useBefore(live: LiveLog): LiveLog | null {
  const [{ now, before }, setCalls] = useState<{ now: LiveLog; before: LiveLog | null }>({ now: live, before: null })
  if (now !== live) setCalls({ now: live, before: now.entries.length ? now : before })
  return before
}

function useLevels(live: LiveLog): void {
  const input = useRef(0)
  useAudioLevel('input', (level) => {
    input.current = level
  })
  useAudioLevel('output', (output) => live.heard({ input: input.current, output }))
}

/** Nothing is rendered for a page that nobody sees. */
function useIsShown(root: { readonly current: HTMLElement | null }): boolean {
  const [isShown, setIsShown] = useState(false)
  useEffect(() => {
    const resized = new ResizeObserver(([entry]) => setIsShown(entry!.contentRect.width > 0))
    resized.observe(root.current!)
    return () => resized.disconnect()
  }, [root])
  return isShown
}

/** `/` goes to the filter, wherever the keyboard is, unless something is being written. */
function useSlash(
  root: { readonly current: HTMLElement | null },
  search: { readonly current: HTMLInputElement | null },
  found: () => void,
): void {
  const latest = useRef(found)
  latest.current = found
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return
      if (!root.current?.checkVisibility()) return
      if (event.target instanceof Element && event.target.closest('input:not([type=range]), textarea, select')) return
      event.preventDefault()
      flushSync(latest.current)
      search.current?.focus()
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [root, search])
}

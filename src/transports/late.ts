/** What a page loads when a call begins: until it is here, what is asked of it waits, in order. */
import { messageOf } from '../protocol/errors.ts'
import { ConnectionError } from '../session/transport.ts'

/** Bytes of microphone audio that wait: fifteen seconds of PCM16 at 24 kHz, as they do for a line. */
const mostHeld = 720_000

export interface Late<Here> {
  readonly here: Here | null
  /** Something waits to be done. */
  readonly isAwaited: boolean
  /** Loads it, once. Rejects with a `ConnectionError` where that fails: then the next one who asks loads it again. */
  load(): Promise<Here>
  /** Done at once where it is here, else when it is. */
  later(run: (here: Here) => void): void
  /** It came another way. */
  came(it: Here): void
  /** What `next` makes of the work. Where `close()` comes before, it rejects with this error instead. */
  unlessClosed<Work, Result>(
    work: Promise<Work>,
    next: (work: Work) => Result | Promise<Result>,
    error: () => Error,
  ): Promise<Result>
  /** Ends all that wait for something. */
  close(): void
}

/** What was asked for long ago and cannot be done, `failed` is told. */
export function late<Module, Here>(
  imported: () => Promise<Module>,
  make: (module: Module) => Here,
  failed: (error: unknown) => void,
): Late<Here> {
  const waiting: ((here: Here) => void)[] = []
  const ends = new Set<() => void>()
  let here: Here | null = null
  let loading: Promise<Here> | null = null

  function came(it: Here): void {
    here = it
    for (const run of waiting.splice(0)) attempt(() => run(it), failed)
  }

  return {
    get here() {
      return here
    },
    get isAwaited() {
      return waiting.length > 0
    },
    load() {
      loading ??= part(imported())
        .then((module) => {
          const made = make(module)
          came(made)
          return made
        })
        .catch((error: unknown) => {
          loading = null
          throw error
        })
      return loading
    },
    later(run) {
      if (here) run(here)
      else waiting.push(run)
    },
    came,
    unlessClosed(work, next, error) {
      return new Promise((resolve, reject) => {
        let isOver = false
        const end = () => {
          isOver = true
          reject(error())
        }
        ends.add(end)
        work
          .then((done) => {
            if (!isOver) resolve(next(done))
          })
          .catch(reject)
          .finally(() => ends.delete(end))
      })
    },
    close() {
      for (const end of ends) end()
      ends.clear()
    },
  }
}

export function attempt(run: () => void, failed: (error: unknown) => void): void {
  try {
    run()
  } catch (error) {
    failed(error)
  }
}

/** What an `import()` gives, or a `ConnectionError` that says why it gives nothing. */
export function part<Module>(coming: Promise<Module>): Promise<Module> {
  return coming.catch((error: unknown) => {
    const reason = `A part of Parley could not be loaded: ${messageOf(error)}`
    throw new ConnectionError({ reason, code: null, fatal: false, initiator: 'network' })
  })
}

/** Counts the audio that waits, and copies it, for the app may use its buffer again; null where too much waits already. */
export function holding(): {
  readonly isEmpty: boolean
  copy(audio: ArrayBuffer | ArrayBufferView): Uint8Array | null
} {
  let held = 0
  return {
    get isEmpty() {
      return held === 0
    },
    copy(audio) {
      if (held > mostHeld) return null
      held += audio.byteLength
      return ArrayBuffer.isView(audio)
        ? new Uint8Array(audio.buffer, audio.byteOffset, audio.byteLength).slice()
        : new Uint8Array(audio).slice()
    },
  }
}

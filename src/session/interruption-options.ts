/** How an interruption is told from a noise: what the app may say about it, and what a session knows of it. */
export interface InterruptionOptions {
  /**
   * `immediate`: whoever speaks silences the agent. `confirm`: the agent waits, and is silenced when it is certain that
   * somebody speaks; else it goes on from the same sample. Default: immediate.
   */
  readonly mode?: 'immediate' | 'confirm'
  /** ms of speech that are an interruption. Default: 500. */
  readonly minMs?: number
  /**
   * Words that are an interruption: where it is more than 0 and the session transcribes, they decide, and not `minMs`.
   * Default: 0, or 1 where there is an `ignore`.
   */
  readonly minWords?: number
  /** Whether this is no interruption, such as "uh-huh"; asked of all that was understood of a turn so far. */
  readonly ignore?: (text: string) => boolean
}

/** What is known of those who may be interrupting. */
export interface Interruption {
  /** Null: whoever speaks silences the agent. */
  readonly policy: { readonly minMs: number; readonly minWords: number } | null
  /** Turns of which it is not known yet whether they are any. */
  readonly candidates: readonly Candidate[]
  /** What the far end said of how it hears turns: where the app says nothing, its defaults are its own. */
  readonly detection: {
    readonly type: 'server_vad' | 'semantic_vad' | null
    readonly silenceMs: number
    readonly paddingMs: number
  }
  /** The speaker waits for what becomes of them. */
  readonly held: boolean
  /** The turn that the far end has heard end, and will commit. */
  readonly stopped: string | null
  /** What is no turn: deleted as soon as it is an item. */
  readonly noises: readonly string[]
  /** Responses that nobody may interrupt, given or heard. */
  readonly guarded: readonly string[]
  /** The far end was told on this line to leave interrupting to us. */
  readonly spares: boolean
}

export interface Candidate {
  readonly item_id: string
  /** Where in the audio it began, in ms. */
  readonly startMs: number
  readonly isStopped: boolean
  readonly isCommitted: boolean
  /** When it is decided, if nothing happens before. */
  readonly until: number
}

export function interruptionOf({ mode, minMs = 500, minWords, ignore }: InterruptionOptions = {}): Interruption {
  const policy = mode === 'confirm' ? { minMs, minWords: minWords ?? (ignore ? 1 : 0) } : null
  return {
    policy,
    candidates: [],
    detection: { type: 'server_vad', silenceMs: 500, paddingMs: 300 },
    held: false,
    stopped: null,
    noises: [],
    guarded: [],
    spares: false,
  }
}

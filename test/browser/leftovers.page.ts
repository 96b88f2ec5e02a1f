/** In the page, before anything else runs: counts what was opened and is still open. Call `leftovers()` after a stop. */

const contexts: AudioContext[] = []
const tracks: MediaStreamTrack[] = []
const peers: RTCPeerConnection[] = []
const sockets: WebSocket[] = []
const timers = new Set<unknown>()

/** What the microphone's permission gave, contexts, peers and sockets that were made and not yet stopped or closed. */
export interface Leftovers {
  readonly tracks: number
  readonly contexts: number
  readonly peers: number
  readonly sockets: number
  /** `setTimeout` and `setInterval` that have not fired and were not cleared. */
  readonly timers: number
}

export function leftovers(): Leftovers {
  return {
    tracks: tracks.filter(({ readyState }) => readyState === 'live').length,
    contexts: contexts.filter(({ state }) => state !== 'closed').length,
    peers: peers.filter(({ connectionState }) => connectionState !== 'closed').length,
    sockets: sockets.filter(({ readyState }) => readyState < WebSocket.CLOSING).length,
    timers: timers.size,
  }
}

/** Constructors as they were: what tests open for themselves with them is not counted. */
export const uncounted: { readonly AudioContext: typeof AudioContext } = { AudioContext: globalThis.AudioContext }

function counted<Made extends object, Class extends new (...args: never[]) => Made>(
  made: Made[],
  original: Class,
): Class {
  return new Proxy(original, {
    construct(target, args, newTarget) {
      const one = Reflect.construct(target, args, newTarget) as Made
      made.push(one)
      return one
    },
  })
}

globalThis.AudioContext = counted(contexts, globalThis.AudioContext)
globalThis.RTCPeerConnection = counted(peers, globalThis.RTCPeerConnection)
globalThis.WebSocket = counted(sockets, globalThis.WebSocket)

// An insecure page has none.
const mediaDevices = navigator.mediaDevices as MediaDevices | undefined
const getUserMedia = mediaDevices?.getUserMedia.bind(mediaDevices)
if (mediaDevices && getUserMedia) {
  mediaDevices.getUserMedia = async (constraints) => {
    const stream = await getUserMedia(constraints)
    tracks.push(...stream.getTracks())
    return stream
  }
}

for (const [set, clear] of [
  ['setTimeout', 'clearTimeout'],
  ['setInterval', 'clearInterval'],
] as const) {
  const begin = globalThis[set] as unknown as (run: (...args: unknown[]) => void, ...rest: unknown[]) => number
  const end = globalThis[clear] as (timer: number | undefined) => void
  Object.assign(globalThis, {
    [set]: (run: (...args: unknown[]) => void, ...rest: unknown[]) => {
      const timer = begin(
        (...args) => {
          if (set === 'setTimeout') timers.delete(timer)
          run(...args)
        },
        ...rest,
      )
      timers.add(timer)
      return timer
    },
    [clear]: (timer: number | undefined) => {
      timers.delete(timer)
      end(timer)
    },
  })
}

Object.assign(globalThis, { leftovers })

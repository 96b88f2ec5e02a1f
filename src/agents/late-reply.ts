import type { Reply } from './reply.ts'

/** A reply that will be asked for: what is wanted of it waits until it is. */
export function lateReply(id: string, coming: Promise<Reply>): Reply {
  let here: Reply | null = null
  const waits = coming.then((reply) => {
    here = reply
  })
  const done = coming.then((reply) => reply.done)
  for (const one of [waits, done]) one.catch(() => {})
  return {
    id,
    get responseId() {
      return here?.responseId ?? null
    },
    get text() {
      return here?.text ?? pieces(coming.then(({ text }) => text))
    },
    get audio() {
      return here?.audio ?? pieces(coming.then(({ audio }) => audio))
    },
    done,
    cancel: () =>
      void coming.then(
        (reply) => reply.cancel(),
        () => {},
      ),
  }
}

/** Who asks and never reads hears of no rejection. */
function pieces<T>(coming: Promise<AsyncIterable<T>>): AsyncIterable<T> {
  coming.catch(() => {})
  return (async function* () {
    yield* await coming
  })()
}

import type { Reply } from './reply.ts'

/** A reply that will be asked for: what is wanted of it waits until it is. */
export function lateReply(id: string, coming: Promise<Reply>): Reply {
  let here: Reply | null = null
  coming.then((reply) => {
    here = reply
  })
  const done = coming.then((reply) => reply.done)
  done.catch(() => {})
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
    cancel: () => void coming.then((reply) => reply.cancel()),
  }
}

async function* pieces<T>(coming: Promise<AsyncIterable<T>>): AsyncIterable<T> {
  yield* await coming
}

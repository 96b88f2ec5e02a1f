import type { Worker } from 'node:worker_threads'

export interface Queue<Question, Answer> {
  /**
   * Resolves with the worker's answer. An aborted question is not asked if it still waits, and its answer is not waited for
   * if it was asked: both reject with the signal's reason. Rejects when the worker fails; the next question gets a fresh one.
   */
  ask(question: Question, signal: AbortSignal): Promise<Answer>
}

interface Waiting<Question, Answer> {
  readonly question: Question
  readonly signal: AbortSignal
  readonly resolve: (answer: Answer) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Asks a worker one question at a time, in order. The worker starts with the first question, and keeps the process alive only
 * while it has one to answer.
 */
export function queue<Question, Answer>(start: () => Worker): Queue<Question, Answer> {
  const line: Waiting<Question, Answer>[] = []
  let worker: Worker | undefined
  let asked: Waiting<Question, Answer> | undefined

  function next(): void {
    if (asked) return
    asked = line.shift()
    if (!asked) {
      worker?.unref()
      return
    }
    try {
      worker ??= begin()
      worker.ref()
      worker.postMessage(asked.question)
    } catch (error) {
      settle(({ reject }) => reject(error))
    }
  }

  function settle(how: (waiting: Waiting<Question, Answer>) => void): void {
    const waiting = asked
    asked = undefined
    if (waiting) how(waiting)
    next()
  }

  function begin(): Worker {
    const begun = start()
    const end = (reason: Error) => {
      if (worker !== begun) return
      worker = undefined
      settle(({ reject }) => reject(reason))
    }
    begun.on('message', (answer: Answer) => settle(({ resolve }) => resolve(answer)))
    begun.on('error', (error) => end(new Error(`The worker failed: ${error.message}`, { cause: error })))
    begun.on('exit', (code) => end(new Error(`The worker ended with exit code ${code}.`)))
    return begun
  }

  return {
    ask(question, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const abort = () => {
          const at = line.indexOf(waiting)
          if (at >= 0) line.splice(at, 1)
          reject(signal.reason)
        }
        const leave =
          <T>(how: (value: T) => void) =>
          (value: T) => {
            signal.removeEventListener('abort', abort)
            how(value)
          }
        const waiting = { question, signal, resolve: leave(resolve), reject: leave(reject) }
        signal.addEventListener('abort', abort, { once: true })
        line.push(waiting)
        next()
      })
    },
  }
}

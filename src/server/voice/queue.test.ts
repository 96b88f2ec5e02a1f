import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { type Queue, queue } from './queue.ts'

const never = new AbortController().signal

/** A worker that tells its questions back, counting them; told `throw` or `exit`, it does. */
const echo = `
  const { parentPort } = require('node:worker_threads')
  let count = 0
  parentPort.on('message', (question) => {
    if (question === 'throw') throw new Error('out of breath')
    if (question === 'exit') process.exit(3)
    parentPort.postMessage(question + ' ' + ++count)
  })
`

function echoes(): { readonly questions: Queue<string, string>; readonly started: () => number } {
  let started = 0
  const questions = queue<string, string>(() => {
    started++
    return new Worker(echo, { eval: true })
  })
  return { questions, started: () => started }
}

test('questions are answered in order by one worker, which starts with the first', async () => {
  const { questions, started } = echoes()
  expect(started()).toBe(0)
  expect(await Promise.all(['a', 'b', 'c'].map((question) => questions.ask(question, never)))).toEqual([
    'a 1',
    'b 2',
    'c 3',
  ])
  expect(started()).toBe(1)
})

test.each([
  ['throw', 'out of breath'],
  ['exit', 'exit code 3'],
])('a worker that fails (%s) fails one question; the others get a fresh worker', async (how, message) => {
  const { questions, started } = echoes()
  const answers = await Promise.allSettled(['a', how, 'b'].map((question) => questions.ask(question, never)))
  expect(answers[0]).toEqual({ status: 'fulfilled', value: 'a 1' })
  expect(answers[1]).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining(message) } })
  expect(answers[2]).toEqual({ status: 'fulfilled', value: 'b 1' })
  expect(await questions.ask('c', never)).toBe('c 2')
  expect(started()).toBe(2)
})

test('an aborted question rejects at once, is not asked if it still waits, and holds up nobody', async () => {
  const { questions } = echoes()
  const abort = new AbortController()
  const answers = [
    questions.ask('asked', abort.signal),
    questions.ask('waiting', abort.signal),
    questions.ask('other', never),
  ]
  abort.abort(new Error('hush'))
  const [asked, waiting, other] = await Promise.allSettled(answers)
  expect([asked, waiting]).toMatchObject([{ reason: { message: 'hush' } }, { reason: { message: 'hush' } }])
  expect(other).toEqual({ status: 'fulfilled', value: 'other 2' })
  await expect(questions.ask('late', abort.signal)).rejects.toThrow('hush')
})

test('a worker that cannot start, and a question that cannot be sent, fail that question only', async () => {
  let started = 0
  const questions = queue<unknown, string>(() => {
    if (++started === 1) throw new Error('no room')
    return new Worker(echo, { eval: true })
  })
  const answers = await Promise.allSettled(['a', () => {}, 'b'].map((question) => questions.ask(question, never)))
  expect(answers[0]).toMatchObject({ reason: { message: 'no room' } })
  expect(answers[1]).toMatchObject({ reason: { message: expect.stringContaining('could not be cloned') } })
  expect(answers[2]).toEqual({ status: 'fulfilled', value: 'b 1' })
})

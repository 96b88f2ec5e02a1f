import { expect, onTestFinished, test, vi } from 'vitest'
import { browserAudio } from './browser-audio.ts'

test('a subscriber that throws hurts nobody else, and what it threw is reported', () => {
  const reported = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => reported.mockRestore())
  const audio = browserAudio()
  const heard: boolean[] = []
  audio.subscribe(() => {
    throw new Error('mine')
  })
  audio.subscribe(() => heard.push(audio.state.muted))
  audio.mute(true)
  audio.mute(false)
  expect(heard).toEqual([true, false])
  expect(reported.mock.calls.map(([error]) => [error.message, error.cause.message])).toEqual([
    ['A subscriber of the media failed.', 'mine'],
    ['A subscriber of the media failed.', 'mine'],
  ])
})

/**
 * What follows a batch of calls, in every order in which it can come about: one to four tools answer, the response that
 * called them ends, the user writes, speaks (and the far end answers by itself), the app interrupts.
 */
import { describe, expect, test } from 'vitest'
import type { Item } from '../src/protocol/events.ts'
import { type Batch, batch, type Deed, orders } from './batch.ts'
import { brokenLaws } from './laws.ts'

/** ms from one to the next: each has its effect before the next comes; or all cross each other on the line. */
const paces = [600, 6]

describe.each(paces)('%i ms apart', (apart) => {
  test.each([1, 2, 3, 4])(
    'a batch of %i: in every order, nothing is refused, nothing is silent, nothing is said twice',
    async (count) => {
      const all = (count > 2 ? [true] : [true, false]).flatMap((cuts) =>
        orders(count).map((order) => ({ order, apart, cuts })),
      )
      const broken: string[] = []
      for (let from = 0; from < all.length; from += 100) {
        const some = await Promise.all(all.slice(from, from + 100).map(batch))
        for (const one of some) broken.push(...brokenRules(one).map((rule) => `${one.name}: ${rule}`))
      }
      expect(broken).toEqual([])
    },
    60_000,
  )
})

/** The responses after the one that called. */
function brokenRules(one: Batch): readonly string[] {
  const { deeds, apart, call, answers, creates, refused, wasQuiet, heardAfter } = one
  const interveners = deeds.filter((deed) => deed === 'text' || deed === 'speech').length
  const wanted = 1 + interveners
  const isCutLast = deeds.at(-1) === 'interrupt'
  const items = call.session.state.conversation.items
  const isSaidTwice = items.some((item, n) => isSaid(item) && n > 0 && isSaid(items[n - 1]!))
  const rules: Readonly<Record<string, boolean>> = {
    'it was answered once for each that spoke, and once for the batch, at most': answers <= wanted,
    'as many responses were asked for as are needed': creates - refused <= wanted,
    'no answer stands behind another': apart < 100 || !isSaidTwice,
    'the app silences what has not begun': !isCutLast || !wasQuiet || deeds.includes('speech') || heardAfter === 0,
    'with nothing between, one answer follows': deeds.some(intervenes) || (answers === 1 && creates === 1),
  }
  const ofAll = brokenLaws(call).filter((law) => law !== 'the last turn is answered' || !isCutLast)
  return [...ofAll, ...Object.keys(rules).filter((rule) => !rules[rule])]
}

function intervenes(deed: Deed): boolean {
  return deed !== 'done' && !deed.startsWith('tool')
}

function isSaid(item: Item): boolean {
  return item.type === 'message' && item.role === 'assistant' && item.status === 'completed'
}

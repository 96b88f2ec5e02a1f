/** Days and hours as people say them. They stay as they were said: what "tomorrow" is, the tool knows better. */
import type { Said, Span } from './said.ts'
import { spansOf } from './said.ts'

const weekday = 'mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?'
const month = 'january|february|march|april|may|june|july|august|september|october|november|december'
const unit =
  'first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth'
const nth = `(?:(?:twenty |thirty )?(?:${unit})|\\d+(?:st|nd|rd|th)?)`
const small = 'one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\\d\\d?'
const minutes = `(?:(?:oh |twenty |thirty |forty |fifty )?(?:${small})|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty)`
const year = '(?: (?:\\d{4}|twenty (?:twenty|thirty)(?: \\w+)?))?'
const partOfDay = 'morning|afternoon|evening|night'

const day = [
  '\\d{4}-\\d\\d?-\\d\\d?',
  '\\d\\d?[./]\\d\\d?[./]\\d{2,4}',
  `(?:the )?${nth} (?:of )?(?:${month})${year}`,
  `(?:${month}) (?:the )?${nth}${year}`,
  'the day after tomorrow|day after tomorrow',
  `(?:today|tomorrow|yesterday|(?:(?:next|this|last|coming) )?(?:${weekday}))(?: (?:${partOfDay}))?|tonight`,
  `(?:next|this|last|coming) (?:week|weekend|month|year|(?:week )?(?:${weekday}))`,
  `in (?:an?|${minutes}) (?:day|week|month|year)s?`,
].join('|')

const hour = [
  '\\d\\d?:\\d\\d(?: ?[ap]m)?|\\d\\d?[ap]m',
  `(?:half past|(?:a )?quarter (?:past|to)|${minutes} (?:past|to)) (?:${small})`,
  `(?:${small})(?: ${minutes})? (?:[ap] ?m|oclock)(?: in the (?:${partOfDay}))?`,
  `(?:${small})(?: ${minutes})? (?:in the (?:${partOfDay})|at night)`,
  'noon|midnight|midday',
].join('|')
const loose = `(?<=(?:^| )(?:at|by|for|until|from) )(?:${small})(?: ${minutes})?(?= (?:today|tomorrow|tonight|on|and|please|under|for|in|to|${weekday})|$)`
const stretch = `(?:this |in the )?(?:${partOfDay})|in (?:an?|${minutes}|half an) (?:second|minute|hour)s?`

export function daysIn(said: Said): readonly Span[] {
  return spansOf(said, new RegExp(day))
}

export function hoursIn(said: Said): readonly Span[] {
  return [hour, loose, stretch].flatMap((pattern) => spansOf(said, new RegExp(pattern)))
}

/** A day with the hour that follows it, or the hour with its day. */
export function momentsIn(said: Said): readonly Span[] {
  const both = [`(?:${day}) (?:at )?(?:${hour}|${small}(?: ${minutes})?)`, `(?:${hour}) (?:on )?(?:${day})`]
  return [...both, day, hour, stretch].flatMap((pattern) => spansOf(said, new RegExp(pattern)))
}

const aMoment = new RegExp(`^(?:${day}|${hour}|${stretch}|moment|while|minute|second|hour|day|week|month|year|time)$`)

/** "in the morning" is no place. */
export function isMoment(words: string): boolean {
  return aMoment.test(words)
}

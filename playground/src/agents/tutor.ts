import { RealtimeAgent, tool } from 'parley-voice'

const languages = ['spanish', 'french', 'german', 'italian'] as const

/** English, then in the order of `languages`. */
const phrases: Readonly<Record<string, readonly [string, string, string, string]>> = {
  'good morning': ['buenos días', 'bonjour', 'guten Morgen', 'buongiorno'],
  'good night': ['buenas noches', 'bonne nuit', 'gute Nacht', 'buonanotte'],
  'thank you': ['gracias', 'merci', 'danke', 'grazie'],
  please: ['por favor', "s'il vous plaît", 'bitte', 'per favore'],
  'where is the station': ['¿dónde está la estación?', 'où est la gare ?', 'wo ist der Bahnhof?', "dov'è la stazione?"],
  'a coffee': ['un café', 'un café', 'einen Kaffee', 'un caffè'],
}

const language = { type: 'string', enum: languages, description: 'the language to learn' } as const

const lookUpPhrase = tool({
  name: 'translate_phrase',
  description: 'How to say a phrase in another language.',
  parameters: {
    type: 'object',
    properties: { phrase: { type: 'string', enum: Object.keys(phrases) }, language },
    required: ['phrase', 'language'],
    additionalProperties: false,
  },
  execute: async (asked) => {
    const { phrase, language } = asked as { phrase: string; language: (typeof languages)[number] }
    const said = phrases[phrase]?.[languages.indexOf(language)]
    if (!said) throw new Error(`The phrase book has no '${phrase}'. Translate it yourself.`)
    return `In ${nameOf(language)} you say: ${said}. Now say it yourself.`
  },
})

const quiz = tool({
  name: 'quiz_me',
  description: 'Ask the learner for a phrase of the lesson: an exercise, a question to practise with.',
  parameters: { type: 'object', properties: { language }, required: ['language'], additionalProperties: false },
  execute: async (asked) => {
    const { language } = asked as { language: string }
    const all = Object.keys(phrases)
    return `How do you say "${all[Math.floor(Math.random() * all.length)]}" in ${nameOf(language)}?`
  },
})

function nameOf(language: string): string {
  return language.charAt(0).toUpperCase() + language.slice(1)
}

export const tutor: RealtimeAgent = new RealtimeAgent({
  name: 'Language tutor',
  instructions:
    'You are a patient language tutor. Speak English, slowly. Give one phrase at a time, from the phrase book where it ' +
    'has it, and let the learner repeat it.',
  tools: [lookUpPhrase, quiz],
})

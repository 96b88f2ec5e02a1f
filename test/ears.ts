/** Tests that need the words of real speech: where the recogniser cannot be installed they are left out, and said to be. */
import { type TestAPI, test } from 'vitest'
import { missingEars } from '../src/server/ears/pocketsphinx.ts'

const missing = await missingEars()

export const testWithEars: TestAPI = missing === null ? test : (test.skip as TestAPI)

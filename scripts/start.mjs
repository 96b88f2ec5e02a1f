/**
 * `npm start` opens the playground, `npm run call` plays a call in the terminal: what they need, then `parley dev` or
 * `parley call`. Options go through: `npm start -- --help`.
 */
import { setup } from './setup.mjs'

const call = process.argv[2] === 'call'
try {
  await setup('call')
} catch (error) {
  console.error(`  ✗ ${error.message}`)
  process.exit(1)
}
process.argv.splice(2, call ? 1 : 0, call ? 'call' : 'dev')
await import('../dist/cli/main.js')

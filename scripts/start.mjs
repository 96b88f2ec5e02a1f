/** `npm start` and `npm run call`: what the call needs, then the call. Options go through: `npm start -- --help`. */
import { setup } from './setup.mjs'

try {
  await setup('call')
} catch (error) {
  console.error(`  ✗ ${error.message}`)
  process.exit(1)
}
process.argv.splice(2, 0, 'call')
await import('../dist/cli/main.js')

/** Where nobody waits for bytes, what stands behind a session is there at once. */
export { backstage } from './backstage.ts'

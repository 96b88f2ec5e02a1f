/** In a page, what stands behind a session is loaded when it is connected. */
export { lateStage as backstage } from './late-stage.ts'

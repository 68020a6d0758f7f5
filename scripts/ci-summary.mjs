// Ends the output of .ci/run: what failed and why, in few lines, since a log is often cut; then the numbers of the tests.
//   node scripts/ci-summary.mjs REPORT TEST_LOG CHECK_LOG
import { existsSync, readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

const [, , reportFile, testLog, checkLog] = process.argv
/** So many failures are told, with so many lines of each. */
const MOST = 10
const LINES = 5

const report = read(reportFile)
const results = report ? JSON.parse(report) : {}
if (!report) console.log('The tests left no report')

const check = linesOf(checkLog)
if (check.some((line) => line.startsWith('The check failed'))) tell('npm run check', check.slice(-25))

const failures = (results.testResults ?? []).filter(({ status }) => status === 'failed').flatMap(failuresOf)
for (const [name, message] of failures.slice(0, MOST)) tell(name, message.split('\n').slice(0, LINES))
if (failures.length > MOST) console.log(`... and ${failures.length - MOST} more`)

// What nobody awaited fails the run, and is in no report.
const test = linesOf(testLog)
const unhandled = test.findIndex((line) => line.includes('Unhandled Error'))
if (unhandled >= 0) tell('An error that nobody handled', test.slice(unhandled, unhandled + 20))
if (results.success !== true && failures.length === 0 && unhandled < 0) tell('npm test', test.slice(-20))

const {
  numPassedTests: passed = 0,
  numFailedTests: failed = 0,
  numPendingTests = 0,
  numTodoTests = 0,
} = results
const skipped = numPendingTests + numTodoTests
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
// "Nothing failed" is no success where nothing ran.
process.exitCode = passed > 0 && failed === 0 ? 0 : 1

/** The tests of a file that failed; the file itself, where it did not get that far. */
function failuresOf({ name, message, assertionResults }) {
  const file = name.replace(`${process.cwd()}/`, '')
  const tests = assertionResults.filter(({ status }) => status === 'failed')
  if (tests.length === 0) return [[file, message]]
  return tests.map(({ fullName, failureMessages }) => [`${file}: ${fullName}`, failureMessages.join('\n')])
}

function tell(what, lines) {
  console.log(`FAILED  ${what}`)
  for (const line of lines) console.log(`        ${stripVTControlCharacters(line).slice(0, 300)}`)
}

function linesOf(file) {
  return stripVTControlCharacters(read(file)).trimEnd().split('\n')
}

function read(file) {
  return file && existsSync(file) ? readFileSync(file, 'utf8') : ''
}

// Compiles projects with the TypeScript of a folder, and prints what it says of some of the files: all of them would take several
// times as long, and the declarations of frameworks are not ours to check.
//   node compile.mjs <folder of TypeScript> <pattern of files> <tsconfig.json> ...
import { createRequire } from 'node:module'

const [folder, pattern, ...configs] = process.argv.slice(2)
const ts = createRequire(import.meta.url)(folder)
const host = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: ts.sys.getCurrentDirectory,
  getNewLine: () => '\n',
}
console.log(JSON.stringify({ version: ts.version, projects: configs.map(compile) }))

function compile(config) {
  const { fileNames, options, errors } = ts.getParsedCommandLineOfConfigFile(config, {}, ts.sys)
  const program = ts.createProgram(fileNames, options)
  const files = program.getSourceFiles().filter(({ fileName }) => new RegExp(pattern).test(fileName))
  const found = files.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ])
  const all = [...errors, ...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics(), ...found]
  return { files: files.length, text: ts.formatDiagnostics(all, host) }
}

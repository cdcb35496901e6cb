// Writes documents into a folder, each with what its mirror must hold: NAME.yjs and NAME.json.
//   node make.js corpus|levels FOLDER        node make.js many ROWS FOLDER
import fs from 'node:fs'
import path from 'node:path'
import * as Y from 'yjs'
import { corpus, definitionLevels, many, newDoc } from './documents.js'
import { decode, expected } from './expected.js'

const write = (folder, name, fillDocument, indent) => {
  const doc = newDoc()
  fillDocument(doc)
  const update = Y.encodeStateAsUpdate(doc)
  fs.writeFileSync(path.join(folder, `${name}.yjs`), update)
  const { tables, problems } = expected(decode(update))
  const told = JSON.stringify({ tables, problems }, null, indent)
  fs.writeFileSync(path.join(folder, `${name}.json`), told + '\n')
}

const [what, ...rest] = process.argv.slice(2)
const folder = rest.at(-1)
fs.mkdirSync(folder, { recursive: true })
if (what === 'many') {
  write(folder, `many_${rest[0]}`, (doc) => many(doc, Number(rest[0])))
} else {
  const documents = { corpus, levels: definitionLevels }[what]
  for (const [name, fillDocument] of Object.entries(documents)) write(folder, name, fillDocument, 1)
}

// Writes documents into a folder, each with what its mirror must hold: NAME.yjs and NAME.json.
//   node make.js corpus|levels FOLDER        node make.js many ROWS FOLDER
//   node make.js cells FIRST COUNT FOLDER
import fs from 'node:fs'
import path from 'node:path'
import * as Y from 'yjs'
import { corpus, definitionLevels, many, newDoc } from './documents.js'
import { decode, expected } from './expected.js'
import { cells } from './cells.js'

const write = (folder, name, fillDocument, indent) => {
  const doc = newDoc()
  fillDocument(doc)
  writeDoc(folder, name, doc, indent)
}

const writeDoc = (folder, name, doc, indent) => {
  const update = Y.encodeStateAsUpdate(doc)
  const { tables, problems } = expected(decode(update))
  fs.writeFileSync(path.join(folder, `${name}.yjs`), update)
  const told = JSON.stringify({ tables, problems }, null, indent)
  fs.writeFileSync(path.join(folder, `${name}.json`), told + '\n')
}

const [what, ...rest] = process.argv.slice(2)
const folder = rest.at(-1)
fs.mkdirSync(folder, { recursive: true })
if (what === 'many') {
  write(folder, `many_${rest[0]}`, (doc) => many(doc, Number(rest[0])))
} else if (what === 'cells') {
  for (let seed = Number(rest[0]); seed < Number(rest[0]) + Number(rest[1]); seed++) {
    try {
      writeDoc(folder, `cells_${String(seed).padStart(6, '0')}`, cells(seed))
    } catch (error) { // what Yjs cannot write, or not read again, is no document: an embed '' is a text of nothing
      if (error.message !== 'Unexpected case' && !(error instanceof TypeError)) throw error
    }
  }
} else {
  const documents = { corpus, levels: definitionLevels }[what]
  for (const [name, fillDocument] of Object.entries(documents)) write(folder, name, fillDocument, 1)
}

// One reader of scripts/fault/open_readers.py: a better-sqlite3 connection that is never closed.
//
//     node open_reader.mjs FOLDER_WITH_NODE_MODULES MIRROR SQL
//
// Looks again and again until stdin ends, then prints what it saw as JSON.

import { createRequire } from 'node:module'
import { join } from 'node:path'

const [modules, mirror, sql] = process.argv.slice(2)
const Database = createRequire(join(modules, 'x.js'))('better-sqlite3')
const database = new Database(mirror, { readonly: true, fileMustExist: true, timeout: 5000 })
const statement = database.prepare(sql).raw()
const looks = []
const errors = {}
let ended = false

process.stdin.on('end', () => { ended = true }).resume()

function look () {
  try {
    const rows = statement.all()
    const last = looks.at(-1)
    if (last && JSON.stringify(last.rows) === JSON.stringify(rows)) last.times += 1
    else looks.push({ rows, times: 1 })
  } catch (error) {
    errors[error.message] = (errors[error.message] ?? 0) + 1
  }
  if (ended) console.log(JSON.stringify({ looks, errors }))
  else setTimeout(look, 5)
}

console.log('open')
look()

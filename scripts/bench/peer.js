// The peer, the best case in Node: yjs decodes the document, one prepared statement fills each
// table, one transaction, no journal, no sync. It keeps no digests, proves nothing about the file
// and publishes nothing: what it leaves out would only make it slower.
//   node peer.js DOCUMENT DATABASE
import fs from 'node:fs'
import Database from 'better-sqlite3'
import * as Y from 'yjs'

const SQLITE_TYPES = { integer: 'INTEGER', boolean: 'INTEGER', real: 'REAL' }
const SMALL_DOCUMENT = 1 << 20

const quote = (name) => `"${name.replaceAll('"', '""')}"`

const cell = (value) => {
  switch (typeof value) {
    case 'boolean': return value ? 1 : 0
    case 'undefined': return null
    case 'object':
      if (value === null) return null
      return value instanceof Y.Text ? value.toString() : JSON.stringify(value)
    default: return value
  }
}

const [documentPath, databasePath] = process.argv.slice(2)
const update = fs.readFileSync(documentPath)
const doc = new Y.Doc()
Y.applyUpdate(doc, update)

const db = new Database(databasePath)
db.pragma(`page_size = ${update.length < SMALL_DOCUMENT ? 4096 : 32768}`)
db.pragma('journal_mode = OFF')
db.pragma('synchronous = OFF')
db.exec('BEGIN')
const definitions = doc.getMap('definition').get('tables')
const tables = doc.getMap('tables')
for (const [name, { fields }] of Object.entries(definitions)) {
  const names = Object.keys(fields).filter((field) => field !== 'id')
  const columns = names.map((field) => `${quote(field)} ${SQLITE_TYPES[fields[field].type] ?? 'TEXT'}`)
  db.exec(`CREATE TABLE ${quote(name)} (${['id TEXT PRIMARY KEY', ...columns].join(', ')})`)
  const marks = ['?', ...names.map(() => '?')].join(',')
  const insert = db.prepare(`INSERT INTO ${quote(name)} VALUES (${marks})`)
  tables.get(name).forEach((row, id) => {
    const values = [id]
    for (const field of names) values.push(cell(row.get(field)))
    insert.run(values)
  })
}
db.exec('COMMIT')
db.close()

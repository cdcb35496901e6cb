// Holds one document and saves it exactly as the host application does: on every update it opens
// and truncates the file, writes the whole state and closes. Commands come as JSON lines on stdin,
// each is answered by one line on stdout; {error} tells what went wrong.
//
//   {do: "open", path, client}            loads the file if it is there
//   {do: "edit", edits, saves}            applies the edits, one transaction each;
//                                         saves: "awaited", "unawaited" (a burst) or "once"
//   {do: "save"}                          writes the same content again
//   {do: "expected"}                      what a mirror of the file, as it is now on disk, must hold
//
// Edits: {set: [table, row, {field: value}]}, {unset: [table, row, field]}, {drop: [table, row]},
// {text: [table, row, field, index, inserted]}, {page: [table, row, field, words]} for a new Y.Text, {kv: [key, value]}, {define: [table, definition]},
// {batch: [edit, ...]} for several in one transaction.
import fs from 'node:fs'
import readline from 'node:readline'
import * as Y from 'yjs'
import { ymap } from './documents.js'
import { decode, expected } from './expected.js'

let doc
let file
let pending = []

// One write, as the host does; fs.writeFile would cut a large state into several.
const save = async () => {
  const state = Y.encodeStateAsUpdate(doc)
  const handle = await fs.promises.open(file, 'w')
  try {
    await handle.write(state)
  } finally {
    await handle.close()
  }
}

const edits = {
  set: ([table, row, fields]) => {
    const tables = doc.getMap('tables')
    if (!tables.has(table)) tables.set(table, new Y.Map())
    const rows = tables.get(table)
    if (!rows.has(row)) return rows.set(row, ymap({ id: row, ...fields }))
    for (const [field, value] of Object.entries(fields)) rows.get(row).set(field, value)
  },
  unset: ([table, row, field]) => doc.getMap('tables').get(table).get(row).delete(field),
  drop: ([table, row]) => doc.getMap('tables').get(table).delete(row),
  text: ([table, row, field, index, inserted]) =>
    doc.getMap('tables').get(table).get(row).get(field).insert(index, inserted),
  page: ([table, row, field, words]) =>
    doc.getMap('tables').get(table).get(row).set(field, new Y.Text(words)),
  batch: (several) => several.forEach(apply),
  kv: ([key, value]) => doc.getMap('kv').set(key, value),
  define: ([table, definition]) => {
    const root = doc.getMap(doc.share.has('schema') ? 'schema' : 'definition')
    const tables = root.get('tables')
    if (tables instanceof Y.Map) tables.set(table, definition)
    else root.set('tables', { ...tables, [table]: definition })
  }
}

const apply = (edit) => {
  const [kind] = Object.keys(edit)
  doc.transact(() => edits[kind](edit[kind]))
}

const commands = {
  open: ({ path, client }) => {
    doc = new Y.Doc({ gc: false }) // as the app does, for its snapshots
    if (client !== undefined) doc.clientID = client
    file = path
    if (fs.existsSync(path) && fs.statSync(path).size) Y.applyUpdate(doc, fs.readFileSync(path))
    return {}
  },
  edit: async ({ edits, saves }) => {
    const unawaited = () => pending.push(save())
    if (saves === 'unawaited') doc.on('update', unawaited)
    for (const edit of edits) {
      apply(edit)
      if (saves === 'awaited') await save()
    }
    if (saves === 'once') await save()
    doc.off('update', unawaited)
    const writes = pending.length
    await Promise.all(pending)
    pending = []
    return { writes }
  },
  save: async () => { await save(); return {} },
  expected: () => expected(decode(fs.readFileSync(file)))
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  let reply
  try {
    const command = JSON.parse(line)
    reply = await commands[command.do](command)
  } catch (error) {
    reply = { error: String(error.stack ?? error) }
  }
  process.stdout.write(JSON.stringify(reply) + '\n')
}

// Says what yjs itself sees in a file, whatever is in it: loads the bytes and copies everything
// visible into a fresh, well-formed document. One JSON line in, one out.
//   {path, out}   ->   {pending} and the copy in `out`, or {error} when yjs refuses the bytes;
//                      pending: something is kept back, for it builds on what is not in the file
import fs from 'node:fs'
import readline from 'node:readline'
import * as Y from 'yjs'

const copy = (value) => {
  if (value instanceof Y.Doc) return new Y.Doc({ guid: value.guid })
  if (value instanceof Y.Map) {
    const map = new Y.Map()
    for (const [key, inner] of value.entries()) map.set(key, copy(inner))
    return map
  }
  if (value instanceof Y.Array) return Y.Array.from(value.toArray().map(copy))
  if (value instanceof Y.Text && value.toDelta().some((op) => op.insert instanceof Y.AbstractType)) {
    const text = new value.constructor() // ``clone`` would insert the very types that are in it
    text.applyDelta(value.toDelta().map((op) => ({ ...op, insert: copy(op.insert) })), { sanitize: false })
    return text
  }
  return value instanceof Y.AbstractType ? value.clone() : value
}

const view = (bytes) => {
  const seen = new Y.Doc({ gc: false })
  Y.applyUpdate(seen, bytes)
  const pending = seen.store.pendingStructs !== null || seen.store.pendingDs !== null
  const fresh = new Y.Doc({ gc: false })
  fresh.clientID = 1
  for (const name of [...seen.share.keys()]) {
    if (name.startsWith('table:')) {
      fresh.getArray(name).push(seen.getArray(name).toArray().map(copy))
    } else if (['tables', 'definition', 'schema'].includes(name)) {
      for (const [key, value] of seen.getMap(name).entries()) fresh.getMap(name).set(key, copy(value))
    }
  }
  return { pending, update: Y.encodeStateAsUpdate(fresh) }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  let reply
  try {
    const { path, out } = JSON.parse(line)
    const { pending, update } = view(fs.readFileSync(path))
    fs.writeFileSync(out, update)
    reply = { pending }
  } catch (error) {
    reply = { error: String(error.message ?? error) }
  }
  process.stdout.write(JSON.stringify(reply) + '\n')
}

// Says what yjs itself sees in a file, whatever is in it: loads the bytes and copies everything
// visible into a fresh, well-formed document. One JSON line in, one out.
//   {path, out}   ->   {pending} and the copy in `out`, or {error} when yjs refuses the bytes;
//                      pending: something is kept back, for it builds on what is not in the file
import fs from 'node:fs'
import readline from 'node:readline'
import * as decoding from 'lib0/decoding'
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

// A V2 update: a byte 0, nine buffers behind their lengths, and a rest.
const isV2 = (bytes) => {
  if (bytes[0] !== 0) return false
  const decoder = decoding.createDecoder(bytes)
  decoder.pos = 1
  try {
    for (let n = 0; n < 9; n++) {
      const size = decoding.readVarUint(decoder)
      decoder.pos += size
    }
  } catch {
    return false
  }
  return decoder.pos < bytes.length
}

// What is left in the list of a root.
const contentsOf = (root) => {
  const found = []
  for (let item = root._start; item !== null; item = item.right) if (!item.deleted) found.push(item.content)
  return found
}

const some = (contents, kinds) => contents.some((content) => kinds.includes(content.constructor))

// Yjs writes plain values into arrays and maps only, letters into texts only, and embeds.
const PLAIN = [Y.ContentAny, Y.ContentJSON]
const LETTERS = [Y.ContentString]
const IN_TEXTS = [Y.ContentEmbed, Y.ContentFormat]

// Nobody says what a root is: by its entries, else by what is in its list; a keyed array by its values.
const copyRoot = (seen, fresh, name) => {
  const root = seen.share.get(name)
  const contents = contentsOf(root)
  const isKnown = ['tables', 'definition', 'schema'].includes(name)
  const hasEntries = [...root._map.values()].some((item) => !item.deleted)
  if (hasEntries || isKnown) {
    for (const [key, value] of seen.getMap(name).entries()) fresh.getMap(name).set(key, copy(value))
  }
  if (isKnown || !contents.length) return
  const isKeyed = name.startsWith('table:') && some(contents, PLAIN)
  const isText = some(contents, LETTERS) || (some(contents, IN_TEXTS) && !some(contents, PLAIN))
  if (isText && !isKeyed) {
    const delta = seen.getText(name).toDelta().map((op) => ({ ...op, insert: copy(op.insert) }))
    fresh.getText(name).applyDelta(delta, { sanitize: false })
  } else if ([Y.XmlElement, Y.XmlText, Y.XmlHook].some((kind) => contents[0].type instanceof kind)) {
    fresh.getXmlFragment(name).insert(0, seen.getXmlFragment(name).toArray().map(copy))
  } else fresh.getArray(name).push(seen.getArray(name).toArray().map(copy))
}

const view = (bytes) => {
  const seen = new Y.Doc({ gc: false })
  ;(isV2(bytes) ? Y.applyUpdateV2 : Y.applyUpdate)(seen, bytes)
  const pending = seen.store.pendingStructs !== null || seen.store.pendingDs !== null
  const fresh = new Y.Doc({ gc: false })
  fresh.clientID = 1
  for (const name of [...seen.share.keys()]) copyRoot(seen, fresh, name)
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

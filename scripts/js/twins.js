// Writes the V2 twin of each V1 update in a folder, and what Yjs makes of that in V1 again.
//   node twins.js FOLDER OUT      reads FOLDER/NAME.yjs, writes OUT/NAME.v2 and OUT/NAME.v1
import fs from 'node:fs'
import path from 'node:path'
import * as Y from 'yjs'

const [, , folder, out] = process.argv
for (const name of fs.readdirSync(folder).filter((name) => name.endsWith('.yjs'))) {
  let twin
  try {
    twin = Y.convertUpdateFormatV1ToV2(fs.readFileSync(path.join(folder, name)))
  } catch { // what Yjs refuses has no twin
    continue
  }
  const stem = path.join(out, path.basename(name, '.yjs'))
  fs.writeFileSync(`${stem}.v2`, twin)
  fs.writeFileSync(`${stem}.v1`, Y.convertUpdateFormatV2ToV1(twin))
}

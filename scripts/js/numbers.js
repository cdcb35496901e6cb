// Numbers on stdin as JSON, their texts on stdout: what String makes of each.
import { readFileSync } from 'node:fs'

console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(String)))

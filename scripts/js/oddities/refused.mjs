// What Yjs can write and the decoder cannot read.
import { define, rows, Y } from './lib.mjs';

export default {
	refused_xml_hook(doc) {
		define(doc, 't', { id: 'id', a: 'text' });
		rows(doc, 't', { r1: { id: 'r1', a: new Y.XmlHook('hook') } });
	},
};
